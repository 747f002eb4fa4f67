/** Looking inside a trained run: where its last position looks, and what each of its heads has learned. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { consecutiveBatch, consecutiveWindows, openDataset, type Split } from "@mm/data";
import { type LanguageModel, loadModel, type Probe, readSafetensors } from "@mm/models";
import { exportMetrics, MetricLog, type MetricRow, parseConfig, RunFolder, readMetrics, UserError } from "@mm/run";
import { type Checkpoint, latestCheckpoint, listCheckpoints, TrainConfig } from "@mm/train";
import * as tf from "@tensorflow/tfjs";
import { expectSameTokens } from "./same-tokens.js";

export interface AttentionSettings {
  dataset?: string | undefined;
  split: Split;
  windows: number;
}

export interface AttentionResult {
  run: string;
  windows: number;
  heads: number;
  /** Of the last position's attention, averaged over heads: the share on the nearest eighth of what it can read. */
  nearestEighth: number;
  checkpoints: number;
}

type Row = Omit<MetricRow, "run" | "split">;

/** @throws UserError when the run has no checkpoint, or the dataset is of another vocabulary or too short */
export async function measureAttention(path: string, settings: AttentionSettings): Promise<AttentionResult> {
  const run = RunFolder.open(path);
  const config = parseConfig(TrainConfig, run.config, { source: `${path}/config.json` });
  const checkpoint = latestCheckpoint(run.checkpointFolder);
  if (checkpoint === undefined)
    throw new UserError(`Expected a checkpoint in ${path} but found none.`, {
      hint: `Train it first: mm train --resume ${path}`,
    });
  const curves = await attentionOfLastPosition(checkpoint, config, settings);
  const checkpoints = listCheckpoints(run.checkpointFolder);
  const tags = { model: config.model.kind, blocks: config.model.blocks, seed: config.seed, dataset: curves.dataset };
  const rows: Row[] = [...curvesAsRows(curves, checkpoint.state.step), ...checkpoints.flatMap(headParameters)];
  const folder = run.evalFolder("attention");
  rmSync(join(folder, "metrics.jsonl"), { force: true });
  const log = new MetricLog(folder);
  log.append(rows.map((row) => ({ run: run.name, split: settings.split, ...row, tags: { ...tags, ...row.tags } })));
  log.close();
  exportMetrics(folder, readMetrics(folder));
  return {
    run: run.name,
    windows: curves.windows,
    heads: curves.blocks.reduce((sum, heads) => sum + heads.length, 0),
    nearestEighth: nearestEighth(curves.blocks.flat()),
    checkpoints: checkpoints.length,
  };
}

interface Curves {
  dataset: string;
  windows: number;
  /** Mean weight by block, head and position of the window. */
  blocks: Float64Array[][];
}

async function attentionOfLastPosition(
  checkpoint: Checkpoint,
  { dataset: own, contextLength }: TrainConfig,
  { dataset: given, split, windows }: AttentionSettings,
): Promise<Curves> {
  const dataset = openDataset(given ?? own);
  const model = loadModel(join(checkpoint.path, "model.safetensors"));
  try {
    expectSameTokens(dataset, own, model.config.vocabulary);
    const stream = dataset.tokens(split);
    const starts = evenly(consecutiveWindows(stream, contextLength), windows);
    if (starts.length === 0) {
      throw new UserError(`Expected more than ${contextLength} tokens in ${given ?? own} but found ${stream.length}.`, {
        hint: "Build a larger dataset.",
      });
    }
    const blocks: Float64Array[][] = [];
    for (const start of starts) {
      const { tokens } = consecutiveBatch(stream, { batch: 1, contextLength }, start);
      for (const [block, weights] of (await lastRows(model, tokens)).entries()) {
        blocks[block] ??= weights.map(() => new Float64Array(contextLength));
        weights.forEach((row, head) => {
          row.forEach((weight, position) => {
            blocks[block]![head]![position]! += weight / starts.length;
          });
        });
      }
    }
    return { dataset: dataset.name, windows: starts.length, blocks };
  } finally {
    model.dispose();
    dataset.close();
  }
}

/** Of v2 the heads of the short-term memory come first, then those of the long-term memory. */
const WEIGHTS = /\.(\d+)\.(attn|short|long)\.weights$/;

/** The last position's read weights in one window: by block and head. Each block's map is freed when its row is cut. */
async function lastRows(model: LanguageModel, window: Int32Array): Promise<number[][][]> {
  const rows: { block: number; weights: tf.Tensor2D }[] = [];
  const probe: Probe = {
    wants: (name) => WEIGHTS.test(name),
    take(name, weights) {
      const [, heads, time] = weights.shape as [number, number, number, number];
      const last = tf.slice(weights, [0, 0, time - 1, 0], [1, heads, 1, time]);
      rows.push({ block: Number(WEIGHTS.exec(name)![1]), weights: tf.keep(tf.reshape(last, [heads, time])) });
    },
  };
  tf.tidy(() => {
    model.logits(tf.tensor2d(window, [1, window.length], "int32"), { training: false, probe });
  });
  const blocks: number[][][] = [];
  for (const { block, weights } of rows) {
    blocks[block] = [...(blocks[block] ?? []), ...(await weights.array())];
    weights.dispose();
  }
  return blocks;
}

/** Positions that are never read (a memory's newest pairs) are left out. */
function curvesAsRows({ blocks, windows }: Curves, step: number): Row[] {
  return blocks.flatMap((heads, block) =>
    heads.flatMap((curve, head) =>
      Array.from(curve, (value, position) => ({
        step,
        metric: "attentionOfLastPosition",
        value,
        tags: { block, head, position, windows },
      })).filter((row) => row.value > 0),
    ),
  );
}

function nearestEighth(curves: readonly Float64Array[]): number {
  const near = curves.map((curve) => {
    const readable = curve.subarray(0, curve.findLastIndex((weight) => weight > 0) + 1);
    return readable.subarray(-Math.ceil(readable.length / 8)).reduce((sum, weight) => sum + weight, 0);
  });
  return near.reduce((sum, share) => sum + share, 0) / near.length;
}

const MEMORIES = { attn: "contextual", pmem: "persistent" } as const;
/** Above this the published code cuts the exponent of a key scale. */
const LARGEST_EXPONENT = 5;

/**
 * What the parameters of a Memory Mosaic's heads mean; none for other models. λ = |10·b| of the leaky average; bandwidth
 * β = g², the factor of k·k for keys of unit length, g = e^min(10·b, 5); c as it is stored.
 */
const HEAD_PARAMETERS: Readonly<Record<string, { metric: string; meaning(stored: number): number }>> = {
  leaky_key_beta: { metric: "forgettingRate", meaning: (stored) => Math.abs(10 * stored) },
  kernel_beta: { metric: "bandwidth", meaning: (stored) => Math.exp(2 * Math.min(10 * stored, LARGEST_EXPONENT)) },
  "v_featurizer.coef": { metric: "valueMixing", meaning: (stored) => stored },
};

function headParameters({ path, state }: Checkpoint): Row[] {
  const { tensors } = readSafetensors(join(path, "model.safetensors"));
  return Object.entries(tensors).flatMap(([name, { data }]) => {
    const found = /\.(\d+)\.(attn|pmem)\.(.+)$/.exec(name);
    const parameter = found === null ? undefined : HEAD_PARAMETERS[found[3]!];
    if (found === null || parameter === undefined) return [];
    const memory = MEMORIES[found[2] as keyof typeof MEMORIES];
    return Array.from(data as Float32Array, (stored, head) => ({
      step: state.step,
      metric: parameter.metric,
      value: parameter.meaning(stored),
      tags: { memory, block: Number(found[1]), head },
    }));
  });
}

/** Indices of `wanted` of `count` things, spread evenly; of all where there are fewer. */
function evenly(count: number, wanted: number): number[] {
  const taken = Math.min(count, wanted);
  return Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken));
}
