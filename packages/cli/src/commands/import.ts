import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "@mm/run";
import { Args, Flags } from "@oclif/core";
import { TensorCommand } from "../tensor-command.js";

export default class Import extends TensorCommand<typeof Import> {
  static override summary = "Make a model of weights that other code wrote.";
  static override description =
    "Reads .safetensors of the Memory Mosaics authors' code, of nanoGPT, or of Hugging Face's GPT-2. The configuration follows from names and shapes, and from a config.json beside the file; --set gives what they do not tell (contextLength and peekShift of a Memory Mosaic, heads of a GPT-2).";
  static override examples = [
    "<%= config.bin %> import gpt2/model.safetensors --out gpt2.safetensors",
    "<%= config.bin %> import mosaic.safetensors --out own.safetensors --set contextLength=512",
  ];
  static override args = { file: Args.string({ description: "weights as .safetensors", required: true }) };
  static override flags = {
    out: Flags.string({ char: "o", summary: "File to write.", required: true }),
    set: Flags.string({
      char: "s",
      summary: "Set one field of the configuration, such as heads=12.",
      multiple: true,
      multipleNonGreedy: true,
      default: [],
    }),
  };

  async run() {
    await this.useBackend();
    const models = await import("@mm/models");
    const { ModelConfig, modelFromTensors, saveWeights } = models;
    const { applySettings, parseConfig } = await import("@mm/run");
    const { file } = this.args;
    const { out, set } = this.flags;
    const given = models.readSafetensors(file);
    const own = models.storedConfig(given.metadata);
    const { config, tensors } = own
      ? { config: own, tensors: given.tensors }
      : models.importWeights(given.tensors, file);
    const known = !own && config.kind === "gpt2" ? { ...config, ...headsBeside(file) } : config;
    const resolved = parseConfig(ModelConfig, applySettings(known, set), { source: `${file} and --set` });
    const model = modelFromTensors(resolved, tensors, file);
    await saveWeights(model, out);
    model.dispose();
    this.log(`${out}: ${describe(resolved)}\nNext: mm generate --run ${out} --prompt "Once upon a time"`);
    return { out, config: resolved };
  }
}

/** The number of heads, which Hugging Face writes into a file of its own. */
function headsBeside(file: string): { heads?: number } {
  const path = join(dirname(file), "config.json");
  if (!existsSync(path)) return {};
  try {
    const { n_head: heads } = (JSON.parse(readFileSync(path, "utf8")) ?? {}) as { n_head?: unknown };
    return typeof heads === "number" ? { heads } : {};
  } catch (error) {
    throw new UserError(`Expected the configuration of the model in ${path} but found: ${(error as Error).message}.`, {
      hint: "Fetch that file again, or move the weights to another folder and give --set heads=….",
      cause: error,
    });
  }
}

function describe({ kind, blocks, width, heads, contextLength }: Record<string, unknown>): string {
  return `${kind}, ${blocks} blocks, width ${width}, ${heads} heads, context of ${contextLength} tokens`;
}
