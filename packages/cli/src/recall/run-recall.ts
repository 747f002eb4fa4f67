/** One recall training into a run folder, from nothing or from where it was stopped, to its scores. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { collectProvenance, type MetricRow, RunFolder, readMetrics, type TagValue, UserError } from "@mm/run";
import { type RecallConfig, recallTags, trainRecall } from "@mm/train";
import { runExists, type Surroundings } from "../language-run.js";
import { storeRows } from "../regbench/stored-scores.js";

interface NewRun {
  root: string;
  name: string;
  config: RecallConfig;
  /** Replace a run of that name. */
  force?: boolean;
  /** On every row of the run: `sweep`, `ablation`, … */
  tags?: Record<string, TagValue>;
}

export interface RecallOutcome {
  run: RunFolder;
  /** By distance or number of pairs, as the task says. */
  scores: { point: number; accuracy: number }[];
  /** 0 when it was there before. */
  seconds: number;
}

const EVALUATION = "recall";

/** @throws UserError when it was interrupted, or a run of this name has another configuration (unless `force`) */
export async function runRecall(
  { root, name, config, force = false, tags = {} }: NewRun,
  { backend, reporter, signal }: Surroundings,
): Promise<RecallOutcome> {
  const started = performance.now();
  const provenance = collectProvenance({ backend: { ...backend }, seed: config.protocol.seed, tags });
  const isNew = force || !runExists(root, name);
  const run = isNew ? RunFolder.create(root, name, config, provenance, { force }) : RunFolder.open(join(root, name));
  if (JSON.stringify(run.config) !== JSON.stringify(config)) {
    throw new UserError(`Expected ${run.path} to be a run of this configuration, but it was made with another one.`, {
      hint: "Choose another --suffix, or replace it with --force.",
    });
  }
  if (!isNew && isRecalled(root, name)) return { run, scores: storedRecall(run), seconds: 0 };

  const { steps, task } = config.protocol;
  const progress = reporter.progress(name, steps, "steps");
  const { summary, scores } = await trainRecall(config, run, {
    onProgress: ({ step, before, loss, evaluation }) =>
      progress.update(step, `loss ${loss.toFixed(3)} · valid ${evaluation["valid"]?.toFixed(3) ?? "–"}`, before),
    ...(signal && { signal }),
  });
  if (summary.status === "interrupted") {
    throw new UserError(`${name} was interrupted after step ${summary.step} of ${steps}; its checkpoint is saved.`, {
      hint: "The same command continues it.",
    });
  }
  const rows = scores.map(
    ({ point, accuracy, queries }): MetricRow => ({
      run: name,
      step: steps,
      split: "test",
      metric: "recallAccuracy",
      value: accuracy,
      tags: { ...recallTags(config), ...run.provenance.tags, [task]: point, queries, parameters: summary.parameters },
    }),
  );
  storeRows(run.evalFolder(EVALUATION), rows);
  progress.finish(`mean accuracy ${mean(scores.map(({ accuracy }) => accuracy)).toFixed(3)}`);
  return { run, scores, seconds: (performance.now() - started) / 1000 };
}

/** True when nothing is left to do for this run: its table of scores is written last. */
export function isRecalled(root: string, name: string): boolean {
  if (!existsSync(join(root, name, "evals", EVALUATION, "metrics.csv"))) return false;
  return RunFolder.open(join(root, name)).status() === "finished";
}

function storedRecall(run: RunFolder): RecallOutcome["scores"] {
  const { task } = (run.config as RecallConfig).protocol;
  return readMetrics(run.evalFolder(EVALUATION)).map(({ value, tags }) => ({
    point: Number(tags[task]),
    accuracy: value,
  }));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
