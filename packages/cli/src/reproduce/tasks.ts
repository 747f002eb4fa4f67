/** The kinds of work that a reproduction is made of. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { storiesSource, textSource } from "@mm/data";
import { collectProvenance, parseConfig, RunFolder, type TagValue, UserError } from "@mm/run";
import { runMoons, ThreeMoonsConfig, TrainConfig } from "@mm/train";
import { measureAttention } from "../attention-run.js";
import { buildWithProgress } from "../build-command.js";
import { stopIfInterrupted } from "../interrupt.js";
import { continueRun, runExists, startRun } from "../language-run.js";
import { measurePositionLoss } from "../position-loss-run.js";
import type { RecallExperiment } from "../recall/experiments.js";
import { isRecalled, runRecall } from "../recall/run-recall.js";
import type { Experiment } from "../regbench/experiments.js";
import { isScored, runRegbench } from "../regbench/run-regbench.js";
import { trainingCost } from "./cost.js";
import type { Task } from "./task.js";

const AGAIN = "The same command goes on from here.";

/** Synthetic stories, from a seed. */
export function storiesTask(folder: string, count: number): Task {
  return datasetTask(folder, () => storiesSource({ count }));
}

/** Text of another kind than stories: the documentation of this toolkit. */
export function proseTask(folder: string, files: string[]): Task {
  return datasetTask(folder, () => textSource({ files }));
}

function datasetTask(folder: string, source: () => ReturnType<typeof storiesSource>): Task {
  return {
    name: folder,
    done: () => existsSync(join(folder, "dataset.json")),
    async run({ reporter, signal }) {
      await buildWithProgress(source(), folder, { force: true, signal, valid: 0.1 }, reporter);
    },
  };
}

/** @throws UserError when a dataset that no command here can make is missing */
export function givenDatasetTask(folder: string, command: string): Task {
  return {
    name: folder,
    done: () => existsSync(join(folder, "dataset.json")),
    async run() {
      throw new UserError(`Expected a dataset in ${folder} but found none.`, { hint: `Build it first: ${command}` });
    },
  };
}

export interface LanguageTask {
  readonly root: string;
  readonly name: string;
  readonly config: unknown;
  readonly tags?: Record<string, TagValue>;
}

export function languageTask({ root, name, config: given, tags = {} }: LanguageTask): Task & { config: TrainConfig } {
  const config = parseConfig(TrainConfig, given, { source: name });
  return {
    name,
    config,
    cost: trainingCost(config),
    done: () => finished(root, name, config),
    async run({ backend, reporter, signal }) {
      if (runExists(root, name)) await continueRun(join(root, name), { reporter, signal });
      else await startRun({ root, name, config, tags }, { backend, reporter, signal });
      stopIfInterrupted(signal, AGAIN);
    },
  };
}

export function regbenchTask(root: string, { name, config }: Experiment): Task {
  return {
    name,
    done: () => isScored(root, name),
    async run(surroundings) {
      await runRegbench({ root, name, config }, surroundings);
    },
  };
}

export function recallTask(
  root: string,
  { name, config }: RecallExperiment,
  tags: Record<string, TagValue> = {},
): Task {
  return {
    name,
    done: () => isRecalled(root, name),
    async run(surroundings) {
      await runRecall({ root, name, config, tags }, surroundings);
    },
  };
}

/** One memory for each number of heads, which share its six features. */
export function moonsTasks(root: string, given: { memory?: object }, heads: readonly number[] = [1, 3]): Task[] {
  return heads.map((count) =>
    moonsTask(root, `three-moons-${count}-head${count > 1 ? "s" : ""}`, {
      ...given,
      memory: { ...given.memory, heads: count, features: 6 / count },
    }),
  );
}

/** A three-moons training takes a minute: an interrupted one starts anew. */
export function moonsTask(root: string, name: string, given: object): Task {
  const config = parseConfig(ThreeMoonsConfig, given, { source: name });
  return {
    name,
    done: () => finished(root, name, config),
    async run({ backend, reporter, signal }) {
      const provenance = collectProvenance({ backend: { ...backend }, seed: config.seed });
      const run = RunFolder.create(root, name, config, provenance, { force: true });
      const progress = reporter.progress(name, config.iterations, "iterations");
      const note = (loss: number) => `clipped squared error ${loss.toFixed(5)}`;
      await runMoons(config, run, {
        onProgress: ({ iteration, loss }) => progress.update(iteration, note(loss)),
        signal,
      });
      stopIfInterrupted(signal, AGAIN);
      progress.finish();
    },
  };
}

export function positionLossTask(root: string, run: string, dataset: string, windows: number): Task {
  return {
    name: `${run}: loss by position on ${dataset}`,
    done: () => evaluated(root, run, (name) => name.startsWith(`position-loss-${dataset.split("/").at(-1)}-`)),
    async run() {
      await measurePositionLoss(join(root, run), { dataset, split: "valid", windows, batch: 8 });
    },
  };
}

export function attentionTask(root: string, run: string, windows: number): Task {
  return {
    name: `${run}: attention`,
    done: () => evaluated(root, run, (name) => name === "attention"),
    async run() {
      await measureAttention(join(root, run), { split: "valid", windows });
    },
  };
}

/** The table of an evaluation is written last. */
function evaluated(root: string, run: string, isIt: (name: string) => boolean): boolean {
  const folder = join(root, run, "evals");
  if (!existsSync(folder)) return false;
  return readdirSync(folder).some((name) => isIt(name) && existsSync(join(folder, name, "metrics.csv")));
}

/** @throws UserError when the run was made with another configuration */
function finished(root: string, name: string, config: unknown): boolean {
  if (!runExists(root, name)) return false;
  const run = RunFolder.open(join(root, name));
  if (JSON.stringify(run.config) !== JSON.stringify(config)) {
    throw new UserError(`Expected ${run.path} to be a run of this configuration, but it was made with another one.`, {
      hint: `Remove that folder, and the same command makes it anew.`,
    });
  }
  return run.status() === "finished";
}
