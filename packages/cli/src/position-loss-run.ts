/** Loss by position of a trained run on any dataset, stored as an evaluation of that run. */
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { openDataset, type Split } from "@mm/data";
import { loadModel } from "@mm/models";
import { exportMetrics, MetricLog, parseConfig, RunFolder, readMetrics, UserError } from "@mm/run";
import { bestCheckpoint, evaluate, latestCheckpoint, TrainConfig } from "@mm/train";
import { expectSameTokens } from "./same-tokens.js";

export interface PositionLossSettings {
  dataset?: string | undefined;
  split: Split;
  windows: number;
  batch: number;
}

/**
 * What rows and folders of an evaluation call a dataset: its folder's name, and where that folder does not lie beside the
 * run's own dataset a digest of its path too, so that two folders of one name stay two evaluations.
 */
function labelOf(folder: string, own: string): string {
  const [path, ownPath] = [resolve(folder), resolve(own)];
  if (dirname(path) === dirname(ownPath)) return basename(path);
  return `${basename(path)}-${createHash("sha256").update(path).digest("hex").slice(0, 8)}`;
}

/** @throws UserError when the run has no checkpoint, or the dataset is of another vocabulary or too short */
export async function measurePositionLoss(
  path: string,
  { dataset: given, split, windows, batch }: PositionLossSettings,
) {
  const run = RunFolder.open(path);
  const config = parseConfig(TrainConfig, run.config, { source: `${path}/config.json` });
  const checkpoint = bestCheckpoint(run.checkpointFolder) ?? latestCheckpoint(run.checkpointFolder);
  if (checkpoint === undefined)
    throw new UserError(`Expected a checkpoint in ${path} but found none.`, {
      hint: `Train it first: mm train --resume ${path}`,
    });
  const folder = given ?? config.dataset;
  const dataset = openDataset(folder);
  const model = loadModel(join(checkpoint.path, "model.safetensors"));
  try {
    expectSameTokens(dataset, config.dataset, model.config.vocabulary);
    const result = await evaluate(model, dataset.tokens(split), {
      windows,
      batch,
      contextLength: config.contextLength,
    });
    const own = resolve(folder) === resolve(config.dataset);
    const label = labelOf(folder, config.dataset);
    const evaluation = run.evalFolder(`position-loss-${label}-${split}`);
    const tags = {
      model: config.model.kind,
      blocks: config.model.blocks,
      seed: config.seed,
      dataset: label,
      trainedOn: basename(resolve(config.dataset)),
      windows: result.windows,
      outOfDistribution: !own,
    };
    rmSync(join(evaluation, "metrics.jsonl"), { force: true });
    const log = new MetricLog(evaluation);
    const { step } = checkpoint.state;
    const atEachPosition = (metric: string, values: Float64Array) =>
      Array.from(values, (value, position) => ({
        run: run.name,
        step,
        split,
        metric,
        value,
        tags: { ...tags, position },
      }));
    log.append([
      { run: run.name, step, split, metric: "evaluationLoss", value: result.loss, tags },
      ...atEachPosition("lossByPosition", result.byPosition),
      ...atEachPosition("lossByPositionStandardError", result.byPositionStandardError),
    ]);
    log.close();
    exportMetrics(evaluation, readMetrics(evaluation));
    return {
      run: run.name,
      dataset: dataset.name,
      loss: result.loss,
      windows: result.windows,
      byPosition: Array.from(result.byPosition),
    };
  } finally {
    model.dispose();
    dataset.close();
  }
}
