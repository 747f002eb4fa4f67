import type { Decoder, LanguageModel } from "@mm/models";
import { UserError } from "@mm/run";
import { Flags } from "@oclif/core";
import type { TokenTimes } from "../../bench/decode-bench.js";
import { decodedModel } from "../../bench/shapes.js";
import { TensorCommand } from "../../tensor-command.js";

const FORMATS = ["fp32", "bf16", "int8"] as const;

interface Line {
  name: string;
  rounds: TokenTimes[];
}

export default class BenchDecode extends TensorCommand<typeof BenchDecode> {
  static override summary =
    "Time decoding: milliseconds per token of a 12-block Memory Mosaic with GPT-2's vocabulary.";
  static override description =
    "Greedy decoding from an empty text, one line for each way of keeping the weights; then one token at --position by the incremental decoder and by computing the whole text again. With --against, rounds of ours and of PyTorch's incremental decoder alternate in one run (in fp32, and in bf16 where ours is measured so). The time to read all weights once says what this machine's memory allows. Weights are random, as speed does not depend on them; with --run they are those of a trained model, whose loss in each format is shown.";
  static override examples = [
    "<%= config.bin %> bench decode",
    "<%= config.bin %> bench decode --weights fp32 --against benchmarks/peers --python .venv/bin/python",
    "<%= config.bin %> bench decode --weights int8 --texts 16",
    "<%= config.bin %> bench decode --weights fp32 --profile",
    "<%= config.bin %> bench decode --run results/runs/mosaic --windows 64",
  ];
  static override flags = {
    weights: Flags.option({
      summary: "Measure only these (default: all that the backend has).",
      options: FORMATS,
      multiple: true,
      multipleNonGreedy: true,
    })(),
    tokens: Flags.integer({ summary: "Tokens per measurement.", default: 384, min: 2 }),
    texts: Flags.integer({ summary: "Texts that are written side by side.", default: 1, min: 1 }),
    position: Flags.integer({ summary: "Tokens before the one that is also computed anew.", default: 500, min: 1 }),
    rounds: Flags.integer({ summary: "Measurements of each line.", default: 3, min: 1 }),
    against: Flags.string({ summary: "Folder of the PyTorch peer to compare with." }),
    python: Flags.string({ summary: "The Python that has PyTorch.", default: "python3" }),
    profile: Flags.boolean({ summary: "Print the time spent in each kernel over 32 tokens." }),
    run: Flags.string({
      char: "r",
      summary: "Decode a run's model instead of a random one, and measure its validation loss in each format.",
      exclusive: ["set", "against"],
    }),
    windows: Flags.integer({ summary: "Windows of validation text whose loss is measured.", default: 8, min: 1 }),
    set: Flags.string({
      char: "s",
      summary: "Set one field of the model, such as blocks=2 (without --against).",
      multiple: true,
      multipleNonGreedy: true,
      default: [],
    }),
  };

  async run() {
    const { against, python, rounds, tokens, texts, position, set, profile } = this.flags;
    if (against !== undefined && (set.length > 0 || texts > 1))
      throw new UserError("Expected one text of the peer's own model with --against.", {
        hint: "Leave --set and --texts out.",
      });
    const backend = await this.useBackend();
    const { createDecoder, recomputingDecoder } = await import("@mm/models");
    const { measureTokens, measureReading } = await import("../../bench/decode-bench.js");
    const { measurePeer } = await import("../../bench/peer.js");
    const { median } = await import("../../bench/statistics.js");
    const formats = this.flags.weights ?? (backend.name === "native" ? FORMATS : (["fp32"] as const));
    const model = await this.#model();
    const ours: Line[] = formats.map((name) => ({ name, rounds: [] }));
    const theirs = against === undefined ? [] : ["fp32", ...formats.filter((format) => format === "bf16")];
    const peers: Line[] = theirs.map((name) => ({ name, rounds: [] }));
    const readings: number[] = [];
    const timesThere: Record<string, number[]> = Object.fromEntries(["anew", ...formats].map((name) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const { name, rounds: times } of ours) {
        const decoder = createDecoder(model, name as (typeof FORMATS)[number]);
        times.push(await measureTokens(decoder, 0, tokens, texts));
        timesThere[name]!.push((await measureTokens(decoder, position, 12, texts)).medianMilliseconds);
        decoder.dispose();
      }
      readings.push(measureReading(model));
      const slow = recomputingDecoder(model);
      timesThere["anew"]!.push((await measureTokens(slow, position, 2, texts)).medianMilliseconds);
      for (const { name, rounds: times } of peers) {
        const job = { what: "generate", shape: "A", dtype: name as "fp32" | "bf16" } as const;
        const { medianMilliseconds, fastestMilliseconds } = measurePeer({ folder: against!, python }, job, 1);
        times.push({ medianMilliseconds, fastestMilliseconds, tokensPerSecond: 1000 / medianMilliseconds });
      }
      const now = [...ours, ...peers].map((line) => line.rounds.at(-1)!.medianMilliseconds.toFixed(1));
      this.reporter.line(`round ${round + 1}: ${now.join(", ")} ms`);
    }
    const middle = (line: Line) => median(line.rounds.map((times) => times.medianMilliseconds));
    const base = peers.length === 0 ? undefined : middle(peers[0]!);
    const show = (whose: string, line: Line) => {
      const milliseconds = middle(line);
      const speed = ((1000 * texts) / milliseconds).toFixed(1);
      const ratio = base === undefined ? "" : `${(base / milliseconds).toFixed(2)}`.padStart(9);
      this.log(
        `${`${whose} ${line.name}`.padEnd(14)} ${milliseconds.toFixed(2).padStart(9)} ms/pass ${speed.padStart(9)} tokens/s${ratio}`,
      );
      return {
        name: `${whose} ${line.name}`,
        milliseconds,
        tokensPerSecond: (1000 * texts) / milliseconds,
        rounds: line.rounds,
      };
    };
    const { kind, blocks, width } = model.config as unknown as Record<string, unknown>;
    const parameters = Object.values(model.variables()).reduce((sum, { size }) => sum + size, 0);
    this.log(
      `${kind}, ${blocks} blocks, width ${width}, ${parameters.toLocaleString("en")} parameters; ${texts} text(s), ${tokens} tokens, medians of ${rounds} round(s); backend ${backend.name} ${backend.version}`,
    );
    if (base !== undefined) this.log("last column: the peer's fp32 time over this one");
    const lines = [...ours.map((line) => show("ours", line)), ...peers.map((line) => show("peer", line))];
    const reading = median(readings);
    this.log(
      `${reading.toFixed(2)} ms to read the ${((4 * parameters) / 1e6).toFixed(0)} MB of fp32 weights once (${((4 * parameters) / reading / 1e6).toFixed(1)} GB/s): no fp32 decoder of one text is faster`,
    );
    const anew = median(timesThere["anew"]!);
    this.log(`at position ${position}: ${anew.toFixed(0)} ms to compute everything anew`);
    const atPosition = formats.map((format) => {
      const milliseconds = median(timesThere[format]!);
      this.log(
        `  ours ${format.padEnd(8)} ${milliseconds.toFixed(2).padStart(9)} ms/pass: ${(anew / milliseconds).toFixed(1)} times as fast`,
      );
      return { format, milliseconds, ratio: anew / milliseconds };
    });
    const losses = await this.#losses(model, formats);
    const kernels = profile ? await this.#profile(createDecoder(model, formats[0]!), backend.name) : undefined;
    model.dispose();
    return { backend, texts, tokens, lines, reading, position, recomputing: anew, atPosition, losses, kernels };
  }

  async #model(): Promise<LanguageModel> {
    const { applySettings, parseConfig, Rng } = await import("@mm/run");
    const { createModel, loadModel, ModelConfig } = await import("@mm/models");
    const { run, set } = this.flags;
    if (run !== undefined) {
      const { checkpointOf } = await import("../../open-run.js");
      return loadModel(checkpointOf(run).weights);
    }
    const config = parseConfig(ModelConfig, applySettings(decodedModel, set), { source: "the decoded model" });
    return createModel(config, Rng.fromSeed(1).fork("init"));
  }

  /** Of a trained model: the loss of its validation text in each format. */
  async #losses(model: LanguageModel, formats: readonly (typeof FORMATS)[number][]) {
    if (this.flags.run === undefined) return undefined;
    const { createDecoder } = await import("@mm/models");
    const { openDataset } = await import("@mm/data");
    const { checkpointOf } = await import("../../open-run.js");
    const { decodingLoss } = await import("../../bench/decoding-loss.js");
    const dataset = openDataset(checkpointOf(this.flags.run).trainedOn!);
    const losses: Record<string, number> = {};
    for (const format of formats) {
      const decoder = createDecoder(model, format);
      losses[format] = await decodingLoss(decoder, dataset.tokens("valid"), this.flags.windows);
      this.log(
        `  ours ${format.padEnd(8)} ${losses[format].toFixed(5)} nats per token of ${this.flags.windows} validation windows`,
      );
      decoder.dispose();
    }
    dataset.close();
    return losses;
  }

  async #profile(decoder: Decoder, backend: string) {
    const { measureTokens } = await import("../../bench/decode-bench.js");
    const { formatProfile, profileKernels } = await import("../../kernel-profile.js");
    await measureTokens(decoder, 0, 32);
    const begin = performance.now();
    const { kernels } = await profileKernels(backend, () => measureTokens(decoder, 0, 32));
    this.log(`\n32 tokens in ${(performance.now() - begin).toFixed(1)} ms:\n${formatProfile(kernels)}`);
    decoder.dispose();
    return kernels;
  }
}
