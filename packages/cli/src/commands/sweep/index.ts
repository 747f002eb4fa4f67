import { availableParallelism } from "node:os";
import { UserError } from "@mm/run";
import { Args, Flags } from "@oclif/core";
import { BaseCommand } from "../../base-command.js";
import { interruptible } from "../../interrupt.js";
import { RUNS, SWEEPS } from "../../places.js";
import type { Configuration } from "../../sweep/recipe.js";

export default class Sweep extends BaseCommand<typeof Sweep> {
  static override summary = "Train or score every configuration of a grid or list, on all cores or many machines.";
  static override description =
    "A sweep's recipe names a base recipe and the fields that vary. Each configuration is a run of its own in results/runs, its numbers marked with the sweep and the varied fields. What is finished is skipped, what was interrupted continues, what fails is tried again: the same command goes on where it stopped. With --queue, the work is done by `mm worker` processes, on this and other machines.";
  static override examples = [
    "<%= config.bin %> sweep sweeps/memory-mosaic --dataset datasets/stories --dry-run",
    "<%= config.bin %> sweep sweeps/memory-mosaic --dataset datasets/stories",
    "<%= config.bin %> sweep sweeps/regbench --base regbench/mamba --set protocol.environments=1000 --jobs 8",
    "<%= config.bin %> sweep sweeps/regbench-heads --base regbench/transformer --queue redis://localhost:6379",
    "<%= config.bin %> sweep status memory-mosaic",
  ];
  static override args = {
    recipe: Args.string({ description: "A recipe sweeps/… or a YAML file of your own.", required: true }),
  };
  static override flags = {
    name: Flags.string({ char: "n", summary: "Name of the sweep (default: the recipe's)." }),
    base: Flags.string({
      summary: "Base recipe, instead of the sweep's own.",
      multiple: true,
      multipleNonGreedy: true,
    }),
    dataset: Flags.string({ char: "d", summary: "Dataset of every training." }),
    set: Flags.string({
      char: "s",
      summary: "Set one field in every configuration.",
      multiple: true,
      multipleNonGreedy: true,
      default: [],
    }),
    seeds: Flags.string({ summary: "Seeds, separated by commas, instead of the sweep's own." }),
    "dry-run": Flags.boolean({ summary: "List the configurations, start nothing." }),
    retries: Flags.integer({ summary: "How often a failed run is tried again.", default: 1, min: 0 }),
    jobs: Flags.integer({ char: "j", summary: "Runs at a time (default: one for each core).", min: 1 }),
    backend: Flags.string({ summary: "Where tensors live (see mm train)." }),
    queue: Flags.string({ summary: "Address of a Redis server; mm worker processes do the work." }),
    limit: Flags.integer({ summary: "Lines of the table printed.", default: 20, min: 1 }),
  };

  async run(): Promise<object> {
    const { expandSweep, openSweep, sweepName } = await import("../../sweep/recipe.js");
    const { recipe } = this.args;
    const { dataset, set, base, seeds } = this.flags;
    const name = sweepName(this.flags.name ?? recipe);
    const configurations = expandSweep(openSweep(recipe), {
      name,
      set: [...(dataset === undefined ? [] : [`dataset=${JSON.stringify(dataset)}`]), ...set],
      base,
      seeds: seeds?.split(",").map(seedOf),
    });
    if (this.flags["dry-run"]) return this.#list(name, configurations);
    return this.#work(name, configurations);
  }

  async #list(name: string, configurations: readonly Configuration[]) {
    const { formatReports, reportSweep } = await import("../../sweep/report.js");
    const { SweepFolder } = await import("../../sweep/sweep-folder.js");
    const reports = reportSweep(configurations, new SweepFolder(SWEEPS, name), RUNS);
    this.log(formatReports(reports, this.flags.limit));
    this.log(`${configurations.length} configurations; nothing was started.`);
    return { name, configurations: reports };
  }

  async #work(name: string, configurations: readonly Configuration[]) {
    const { runSweep } = await import("../../sweep/run-sweep.js");
    const { countStates, formatReports, reportSweep } = await import("../../sweep/report.js");
    const { SweepFolder } = await import("../../sweep/sweep-folder.js");
    const folder = new SweepFolder(SWEEPS, name);
    const executor = await this.#executor(folder, configurations);
    folder.write(configurations);
    const progress = this.reporter.progress(name, configurations.length, "runs");
    try {
      const summary = await interruptible(
        () => this.reporter.line("the runs at work save their checkpoints (Ctrl-C again to stop at once)"),
        (signal) =>
          runSweep(configurations, executor, {
            root: RUNS,
            folder,
            retries: this.flags.retries,
            signal,
            onEnd: (configuration, outcome, done) => {
              if (outcome.status === "failed") this.reporter.line(`${configuration.name} failed: ${outcome.reason}`);
              progress.update(done);
            },
          }),
      );
      const reports = reportSweep(configurations, folder, RUNS);
      this.log(formatReports(reports, this.flags.limit));
      this.log(`${countStates(reports)}; ${summary.skipped} of these before.`);
      if (summary.left > 0) this.log("The same command continues.");
      else this.log("Next: mm plot figures hyperparameter-search");
      if (summary.failed.length > 0) {
        this.log(`What the failed runs printed is in ${folder.path}/logs`);
        process.exitCode = 1;
      }
      return { name, ...summary, runs: reports };
    } finally {
      await executor.close();
    }
  }

  async #executor(folder: import("../../sweep/sweep-folder.js").SweepFolder, configurations: readonly Configuration[]) {
    const { queue, backend } = this.flags;
    const place = { root: RUNS, folder: folder.path, sweep: folder.name, backend };
    if (queue !== undefined) {
      const { workerExecutor } = await import("../../sweep/worker-executor.js");
      return workerExecutor({ ...place, url: queue, onIdle: (hint) => this.reporter.line(hint) });
    }
    const { checkDatasets } = await import("../../sweep/check-datasets.js");
    const { processExecutor } = await import("../../sweep/process-executor.js");
    checkDatasets(configurations);
    const cores = availableParallelism();
    const jobs = this.flags.jobs ?? Math.min(cores, configurations.length);
    return processExecutor({ ...place, jobs, cores });
  }
}

function seedOf(text: string): number {
  const seed = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new UserError(`Expected whole numbers, separated by commas, after --seeds, but found "${text}".`, {
    hint: "For example --seeds 0,1,2.",
  });
}
