import { UserError } from "@mm/run";
import { Flags } from "@oclif/core";
import { interruptible } from "../../interrupt.js";
import { parseIntegers, parseMinutes } from "../../number-lists.js";
import { RUNS } from "../../places.js";
import type { Experiment } from "../../regbench/experiments.js";
import { formatSeconds } from "../../reporter.js";
import { parseTags, tagFlag } from "../../tags.js";
import { TensorCommand } from "../../tensor-command.js";
import { budgetUsed, withinBudget } from "../../within-budget.js";

export default class EvalRegbench extends TensorCommand<typeof EvalRegbench> {
  static override summary = "Train and score a model on RegBench: can it infer a regular language from a few strings?";
  static override description =
    "Each model is trained under the benchmark's protocol (200 epochs over one text per language, weights of lowest validation loss), then scored on 500 new languages: how often its best guess is allowed (accuracy), and how far its predictions are from the exact ones (total variation). Finished runs are not repeated, interrupted ones continue. Fewer epochs or problems than published mark the results as shortened.";
  static override examples = [
    "<%= config.bin %> eval regbench --model memory-mosaic --environments 100",
    "<%= config.bin %> eval regbench --model memory-mosaic --model transformer --environments 100,500 --seeds 0,1,2",
    "<%= config.bin %> eval regbench --all --environments 100,500,1000,2500 --budget 120",
    "<%= config.bin %> eval regbench --recipe regbench/mamba-2500",
    "<%= config.bin %> eval regbench --references",
    "<%= config.bin %> eval regbench --model memory-mosaic --inspect test-17",
    "<%= config.bin %> eval regbench --checkpoint results/runs/NAME",
  ];
  static override flags = {
    model: Flags.string({
      char: "m",
      summary: "A recipe regbench/MODEL, or regbench/MODEL-N for N environments where there is one (mm list recipes).",
      multiple: true,
      multipleNonGreedy: true,
    }),
    all: Flags.boolean({ summary: "The eleven models of the paper's Figure 9.", exclusive: ["model", "recipe"] }),
    recipe: Flags.string({
      char: "r",
      summary: "A recipe or YAML file, taken as it is.",
      multiple: true,
      multipleNonGreedy: true,
      exclusive: ["model"],
    }),
    environments: Flags.string({
      char: "e",
      summary: "Numbers of training languages, separated by commas (default: 100, or what --recipe says).",
    }),
    seeds: Flags.string({ summary: "Seeds, separated by commas.", default: "0" }),
    epochs: Flags.integer({ summary: "Shorten the protocol (the results are marked as shortened).", min: 1 }),
    budget: Flags.string({
      summary: "Minutes of wall time: then nothing new starts and the run at work saves its checkpoint.",
    }),
    set: Flags.string({
      char: "s",
      summary: "Set one field, such as model.width=64 or protocol.learningRate=1e-3.",
      multiple: true,
      multipleNonGreedy: true,
      default: [],
    }),
    suffix: Flags.string({ summary: "Added to the names of the runs, to tell variants apart." }),
    name: Flags.string({ char: "n", summary: "Name of the run, where there is one only.", exclusive: ["suffix"] }),
    tag: tagFlag(),
    inspect: Flags.string({ summary: "Lay one problem open, such as test-17, position by position." }),
    references: Flags.boolean({ summary: "Score readers that need no training: n-grams, and one told the states." }),
    "slow-references": Flags.integer({
      summary:
        "With --references: score the Bayes-optimal reader and Baum-Welch (counting rightly, and as published) too, on this many problems.",
      default: 0,
      min: 0,
    }),
    checkpoint: Flags.string({
      summary: "Score this RegBench run or safetensors file as it is.",
      exclusive: ["epochs", "model", "recipe", "all"],
    }),
    force: Flags.boolean({ summary: "Repeat finished runs." }),
  };

  async run(): Promise<object> {
    const { budget, checkpoint, inspect, references } = this.flags;
    const seconds = budget === undefined ? Number.POSITIVE_INFINITY : 60 * parseMinutes(budget);
    // A training may come first: a mistyped problem is told before it.
    if (inspect !== undefined) (await import("../../regbench/inspect-run.js")).parseProblemId(inspect);
    const backend = await this.useBackend();
    if (checkpoint !== undefined) {
      return inspect === undefined ? this.#score(checkpoint) : this.#inspect(checkpoint, inspect);
    }
    return interruptible(
      () => this.reporter.line("finishing this step and saving a checkpoint (Ctrl-C again to stop at once)"),
      async (signal) => {
        if (references) return this.#references(backend, signal);
        const rows = await this.#evaluate(await this.#experiments(), backend, signal, seconds);
        this.log("Next: mm plot figures regbench");
        return rows;
      },
    );
  }

  async #experiments(): Promise<Experiment[]> {
    const { experiments } = await import("../../regbench/experiments.js");
    const { figureModels } = await import("../../regbench/beside-published.js");
    const { all, model, recipe = [], environments, seeds, epochs, set, suffix, name } = this.flags;
    const found = experiments({
      models: all ? figureModels : (model ?? (recipe.length > 0 ? [] : ["memory-mosaic"])),
      recipes: recipe,
      environments: environments === undefined ? undefined : parseIntegers(environments, "--environments", 1),
      seeds: parseIntegers(seeds, "--seeds", 0),
      epochs,
      set,
      suffix,
      name,
    });
    if (name !== undefined && found.length > 1) {
      throw new UserError(`Expected one experiment to be called ${name}, but these flags ask for ${found.length}.`, {
        hint: "Give --suffix instead: names are made from model, environments and seed.",
      });
    }
    return found;
  }

  /** One after the other, until the wall time is used. */
  async #evaluate(
    experiments: readonly Experiment[],
    backend: Awaited<ReturnType<typeof this.useBackend>>,
    interrupt: AbortSignal,
    seconds: number,
  ) {
    const { isScored, runRegbench } = await import("../../regbench/run-regbench.js");
    const { publishedPoint } = await import("../../regbench/beside-published.js");
    const { protocolMark } = await import("../../regbench/config.js");
    const { force } = this.flags;
    const facts = ({ name, model, recipe, config }: Experiment) => {
      const { environments, seed, epochs } = config.protocol;
      return { name, model, recipe, environments, seed, epochs, protocol: protocolMark(config.protocol) };
    };
    const { rows, missing } = await withinBudget(experiments, {
      seconds,
      interrupt,
      isDone: ({ name }) => !force && isScored(RUNS, name),
      run: async (experiment, signal) => {
        const { name, model, config } = experiment;
        const { environments, protocol } = facts(experiment);
        const outcome = await runRegbench(
          { root: RUNS, name, config, force, tags: parseTags(this.flags.tag) },
          { backend, reporter: this.reporter, signal },
        );
        const { run, dfaAccuracy, totalVariation, seconds: spent } = outcome;
        const published = publishedPoint(model, environments);
        const beside = published === null ? "" : `  (published ${published.dfaAccuracy} / ${published.totalVariation})`;
        const mark = protocol === "full" ? "" : "  shortened";
        const time = spent === 0 ? "stored" : formatSeconds(spent);
        this.log(
          `${name.padEnd(40)} accuracy ${dfaAccuracy.toFixed(3)}  TVD ${totalVariation.toFixed(3)}${beside}  ${time}${mark}`,
        );
        if (this.flags.inspect !== undefined) await this.#inspect(run.path, this.flags.inspect);
        const scores = { dfaAccuracy, totalVariation, published, seconds: spent, run: run.path };
        return { ...facts(experiment), status: "finished" as const, ...scores };
      },
      leftOut: (experiment) => ({ ...facts(experiment), status: "left out" as const }),
    });
    if (missing.length > 0) this.log(budgetUsed(missing));
    return rows;
  }

  async #references(backend: Awaited<ReturnType<typeof this.useBackend>>, signal: AbortSignal) {
    const { scoreReferences } = await import("../../regbench/references.js");
    const { run, scores } = await scoreReferences(
      {
        root: RUNS,
        name: this.flags.name ?? "regbench-references",
        problems: 500,
        slowProblems: this.flags["slow-references"],
        dataSeed: 0,
      },
      { backend, reporter: this.reporter, signal },
    );
    for (const { model, problems, dfaAccuracy, totalVariation } of scores)
      this.log(
        `${model.padEnd(20)} accuracy ${dfaAccuracy.toFixed(3)}  TVD ${totalVariation.toFixed(3)}  (${problems} problems)`,
      );
    this.log("Next: mm plot figures regbench");
    return { run: run.path, scores };
  }

  async #score(path: string) {
    const { buildProblems } = await import("@mm/regbench");
    const { scoreWeights } = await import("../../regbench/score-weights.js");
    const { weightsOf } = await import("../../regbench/weights-of.js");
    const { file, dataSeed } = weightsOf(path);
    const problems = buildProblems({ environments: 0, valid: 0, seed: dataSeed });
    const { perBatch, ngrams } = await scoreWeights(file, problems, this.reporter);
    this.log(
      `accuracy ${perBatch.dfaAccuracy.toFixed(4)}  TVD ${perBatch.totalVariation.toFixed(4)}  (${problems.test.length} test problems)`,
    );
    return { file, ...perBatch, ngrams };
  }

  async #inspect(path: string, id: string) {
    const { inspectWeights, printInspection, storeInspection } = await import("../../regbench/inspect-run.js");
    const { weightsOf } = await import("../../regbench/weights-of.js");
    const { file, dataSeed, run, step } = weightsOf(path);
    const inspection = await inspectWeights(file, id, dataSeed);
    this.log(printInspection(inspection));
    if (run !== undefined) this.log(`\nEvery position is in ${storeInspection(run, step, inspection)}`);
    return inspection;
  }
}
