import { basename, join } from "node:path";
import { applySettings, UserError } from "@mm/run";
import { Flags } from "@oclif/core";
import { interruptible } from "../interrupt.js";
import { RUNS } from "../places.js";
import { openRecipe } from "../recipes.js";
import { parseTags, tagFlag } from "../tags.js";
import { TensorCommand } from "../tensor-command.js";

export default class Train extends TensorCommand<typeof Train> {
  static override summary = "Train a language model on a dataset; results and checkpoints go to results/runs/NAME.";
  static override description =
    "Configuration comes from a recipe (YAML), then --dataset, --model and --steps, then every --set, later ones winning. Ctrl-C ends with a checkpoint; --resume continues as if nothing had happened.";
  static override examples = [
    "<%= config.bin %> train --dataset datasets/stories --recipe stories/mosaic",
    "<%= config.bin %> train --dataset datasets/stories --recipe stories/gpt2 --set model.blocks=2 --set seed=3 --name gpt2-deep",
    "<%= config.bin %> train --resume results/runs/mosaic",
  ];
  static override flags = {
    dataset: Flags.string({ char: "d", summary: "Folder of the dataset (see mm build-dataset)." }),
    model: Flags.string({ char: "m", summary: "Kind of model (see mm list models)." }),
    recipe: Flags.string({ char: "r", summary: "Recipe to start from (see mm list recipes), or a YAML file." }),
    set: Flags.string({
      char: "s",
      summary: "Set one field, such as model.blocks=2.",
      multiple: true,
      multipleNonGreedy: true,
      default: [],
    }),
    steps: Flags.integer({ summary: "Optimizer steps.", min: 1 }),
    seed: Flags.integer({ summary: "Seed of weights, batches and dropout.", min: 0 }),
    name: Flags.string({ char: "n", summary: "Name of the run (default: model, dataset and seed)." }),
    tag: tagFlag(),
    force: Flags.boolean({ summary: "Replace a run of that name." }),
    profile: Flags.boolean({ summary: "Print the time spent in each kernel (native backend)." }),
    resume: Flags.string({
      summary: "Continue this run; no other setting is read.",
      exclusive: ["dataset", "model", "recipe", "set", "steps", "seed", "name", "tag", "force"],
    }),
  };

  async run() {
    const { run, summary } = await interruptible(
      () => this.reporter.line("finishing this step and saving a checkpoint (Ctrl-C again to stop at once)"),
      (signal) => (this.flags.resume === undefined ? this.#start(signal) : this.#resume(this.flags.resume, signal)),
    );
    if (summary.status === "interrupted")
      this.log(
        `${run.name} stopped after step ${summary.step} of ${summary.steps}.\nContinue: mm train --resume ${run.path}`,
      );
    else
      this.log(
        `${run.name}: ${describeLosses(summary.evaluation)} after ${summary.step} steps, in ${run.path}\nNext: mm plot figures`,
      );
    return { run: run.path, ...summary };
  }

  async #start(signal: AbortSignal) {
    const { parseConfig } = await import("@mm/run");
    const { TrainConfig } = await import("@mm/train");
    const { startRun } = await import("../language-run.js");
    const { recipe } = this.flags;
    const config = parseConfig(TrainConfig, this.#configuration(), {
      source: recipe === undefined ? "the flags" : `recipe ${recipe} and the flags`,
    });
    const backend = await this.useBackend(config.precision);
    const name = this.flags.name ?? `${config.model.kind}-${basename(config.dataset)}-seed${config.seed}`;
    const work = () =>
      startRun(
        { root: RUNS, name, config, force: this.flags.force, tags: parseTags(this.flags.tag) },
        { backend, reporter: this.reporter, signal },
      );
    if (!this.flags.profile) return work();
    const { formatProfile, profileKernels } = await import("../kernel-profile.js");
    const { result, kernels } = await profileKernels(backend.name, work);
    this.log(formatProfile(kernels));
    return result;
  }

  async #resume(path: string, signal: AbortSignal) {
    const { RunFolder } = await import("@mm/run");
    const { continueRun } = await import("../language-run.js");
    const { provenance, config } = RunFolder.open(path);
    const { precision } = config as { precision?: "fp32" | "bf16" };
    await this.useBackend(precision, provenance.backend.name);
    return continueRun(path, { reporter: this.reporter, signal });
  }

  /** Recipe, then the short flags, then every `--set`. */
  #configuration(): unknown {
    const { dataset, model, recipe, steps, seed, precision, set } = this.flags;
    const base = (recipe === undefined ? {} : openRecipe(recipe)) as Record<string, unknown>;
    if (recipe === undefined && model === undefined && !set.some((setting) => setting.startsWith("model.kind="))) {
      throw new UserError("Expected a model to train: found neither --recipe nor --model.", {
        hint: "See `mm list recipes` and `mm list models`.",
      });
    }
    const flags = {
      dataset,
      steps,
      seed,
      precision,
      ...(model !== undefined && { model: { ...(base["model"] as object | undefined), kind: model } }),
    };
    const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
    const merged = { ...base, ...given };
    if (!("dataset" in merged) && !set.some((setting) => setting.startsWith("dataset="))) {
      throw new UserError("Expected a dataset to train on: found no --dataset.", {
        hint: `Build one first: mm build-dataset stories, then --dataset ${join("datasets", "stories")}.`,
      });
    }
    return applySettings(merged, set);
  }
}

/** "training loss 1.234, validation loss 2.345" */
function describeLosses(evaluation: Readonly<Record<string, number>>): string {
  const names: Record<string, string> = { "train-eval": "training", valid: "validation" };
  return Object.entries(evaluation)
    .map(([split, loss]) => `${names[split] ?? split} loss ${loss.toFixed(3)}`)
    .join(", ");
}
