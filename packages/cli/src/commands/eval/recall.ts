import { Flags } from "@oclif/core";
import { interruptible } from "../../interrupt.js";
import { parseIntegers, parseMinutes } from "../../number-lists.js";
import { RUNS } from "../../places.js";
import type { RecallExperiment } from "../../recall/experiments.js";
import { formatSeconds } from "../../reporter.js";
import { parseTags, tagFlag } from "../../tags.js";
import { TensorCommand } from "../../tensor-command.js";
import { budgetUsed, withinBudget } from "../../within-budget.js";

export default class EvalRecall extends TensorCommand<typeof EvalRecall> {
  static override summary =
    "Train and score a model on recall: does it find a pair that stood far back, or among many?";
  static override description =
    "Small models are trained under one protocol on sequences that are never repeated. Task distance: pairs of a key and a value among tokens that mean nothing; the key comes again 4 to 96 tokens later, and the value is asked. Task pairs (multi-query associative recall): 4 to 32 pairs, then every key again. Finished runs are not repeated, interrupted ones continue.";
  static override examples = [
    "<%= config.bin %> eval recall --all",
    "<%= config.bin %> eval recall --model memory-mosaic-v2 --model gpt2 --task distance --seeds 0,1,2",
    "<%= config.bin %> eval recall --all --steps 2000 --budget 60",
    "<%= config.bin %> eval recall --model gpt2 --task pairs --set model.width=128 --suffix wide",
  ];
  static override flags = {
    model: Flags.string({
      char: "m",
      summary: "A recipe recall/MODEL (mm list recipes); default: memory-mosaic.",
      multiple: true,
      multipleNonGreedy: true,
    }),
    all: Flags.boolean({ summary: "Every model with such a recipe.", exclusive: ["model"] }),
    task: Flags.option({
      char: "t",
      summary: "One task; default: both.",
      options: ["distance", "pairs"] as const,
      multiple: true,
      multipleNonGreedy: true,
    })(),
    seeds: Flags.string({ summary: "Seeds, separated by commas.", default: "0" }),
    steps: Flags.integer({ summary: "Optimizer steps (default: 400).", min: 1 }),
    budget: Flags.string({
      summary: "Minutes of wall time: then nothing new starts and the run at work saves its checkpoint.",
    }),
    set: Flags.string({
      char: "s",
      summary: "Set one field, such as model.width=128 or protocol.batch=64.",
      multiple: true,
      multipleNonGreedy: true,
      default: [],
    }),
    suffix: Flags.string({ summary: "Added to the names of the runs, to tell variants apart." }),
    tag: tagFlag(),
    force: Flags.boolean({ summary: "Repeat finished runs." }),
  };

  async run(): Promise<object> {
    const { model, all, task, seeds, steps, set, suffix, budget, force } = this.flags;
    const seconds = budget === undefined ? Number.POSITIVE_INFINITY : 60 * parseMinutes(budget);
    const { recallExperiments } = await import("../../recall/experiments.js");
    const experiments = recallExperiments({
      models: all ? undefined : (model ?? ["memory-mosaic"]),
      tasks: task,
      seeds: parseIntegers(seeds, "--seeds", 0),
      steps,
      set,
      suffix,
    });
    const backend = await this.useBackend();
    const { isRecalled, mean, runRecall } = await import("../../recall/run-recall.js");
    return interruptible(
      () => this.reporter.line("finishing this step and saving a checkpoint (Ctrl-C again to stop at once)"),
      async (interrupt) => {
        const { rows, missing } = await withinBudget(experiments, {
          seconds,
          interrupt,
          isDone: ({ name }) => !force && isRecalled(RUNS, name),
          run: async (experiment, signal) => {
            const { name, task, config } = experiment;
            const settings = { root: RUNS, name, config, force, tags: parseTags(this.flags.tag) };
            const outcome = await runRecall(settings, { backend, reporter: this.reporter, signal });
            const { scores, seconds: spent, run } = outcome;
            const points = scores.map(({ point, accuracy }) => `${point}: ${accuracy.toFixed(2)}`).join("  ");
            const overall = mean(scores.map(({ accuracy }) => accuracy)).toFixed(3);
            const time = spent === 0 ? "stored" : formatSeconds(spent);
            this.log(`${name.padEnd(44)} accuracy ${overall}  (${task} ${points})  ${time}`);
            return { ...facts(experiment), status: "finished" as const, scores, seconds: spent, run: run.path };
          },
          leftOut: (experiment) => ({ ...facts(experiment), status: "left out" as const }),
        });
        if (missing.length > 0) this.log(budgetUsed(missing));
        this.log("Next: mm plot figures recall");
        return rows;
      },
    );
  }
}

function facts({ name, model, task, config }: RecallExperiment) {
  const { seed, steps } = config.protocol;
  return { name, model, task, seed, steps };
}
