/** One optimizer step: loss and gradients over one or several batches, then AdamW. */
import type { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import type { AdamW } from "./adamw.js";
import { countTargets, type TrainingBatch } from "./passes/one-pass.js";
import type { Passes } from "./passes/passes.js";

export interface StepSettings {
  learningRate: number;
  /** The stream of this step; every batch forks it by its number. */
  dropout: Rng;
}

export interface StepRecord {
  /** Mean over all targets of all batches, in nats, with dropout, before the update. */
  loss: number;
  /** Global norm of the gradient before clipping. */
  gradNorm: number;
  milliseconds: number;
  /** Input tokens of all batches. */
  tokens: number;
}

/**
 * Gradients are accumulated over the batches as if they were one: each batch's mean counts by its share of the targets
 * that are not ignored. When the loss is not finite the model is left as it was, and the norm is NaN.
 */
export async function trainStep(
  passes: Passes,
  optimizer: AdamW,
  batches: readonly TrainingBatch[],
  { learningRate, dropout }: StepSettings,
): Promise<StepRecord> {
  const started = performance.now();
  const counts = batches.map(({ targets }) => countTargets(targets));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) throw new RangeError("a training step needs at least one target that is not ignored");

  const weighted = batches
    .map((batch, index) => ({ batch, share: counts[index]! / total, dropout: dropout.fork(index) }))
    .filter(({ share }) => share > 0);
  let loss = 0;
  let gradients: Readonly<Record<string, tf.Tensor>> = {};
  for await (const part of passes.lossesAndGradients(weighted)) {
    gradients = add(gradients, part.gradients);
    loss += part.loss;
  }
  const gradNorm = Number.isFinite(loss) ? await optimizer.step(gradients, learningRate) : Number.NaN;
  tf.dispose(gradients);

  const tokens = batches.reduce((sum, batch) => sum + batch.tokens.length, 0);
  return { loss, gradNorm, milliseconds: performance.now() - started, tokens };
}

/** Sums by name, and frees what is no longer needed. */
function add(
  sum: Readonly<Record<string, tf.Tensor>>,
  part: Readonly<Record<string, tf.Tensor>>,
): Record<string, tf.Tensor> {
  const names = new Set([...Object.keys(sum), ...Object.keys(part)]);
  return Object.fromEntries(
    [...names].map((name) => {
      const [a, b] = [sum[name], part[name]];
      if (a === undefined || b === undefined) return [name, (a ?? b)!];
      const both = a.add(b);
      tf.dispose([a, b]);
      return [name, both];
    }),
  );
}
