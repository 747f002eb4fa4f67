/** One optimizer step: loss and gradients over one or several batches, then AdamW. */
import type { LanguageModel } from "@mm/models";
import type { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import type { AdamW } from "./adamw.js";

/** Sequences of equal length, row after row; a target of −1 is ignored. */
export interface TrainingBatch {
  /** [rows, length] */
  readonly tokens: Int32Array;
  /** [rows, length] */
  readonly targets: Int32Array;
  /** Tokens per row. */
  readonly length: number;
}

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
  model: LanguageModel,
  optimizer: AdamW,
  batches: readonly TrainingBatch[],
  { learningRate, dropout }: StepSettings,
): Promise<StepRecord> {
  const started = performance.now();
  const counts = batches.map(({ targets }) => targets.reduce((sum, target) => sum + (target === -1 ? 0 : 1), 0));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) throw new RangeError("a training step needs at least one target that is not ignored");

  let loss = 0;
  let gradients: Record<string, tf.Tensor> = {};
  for (const [index, batch] of batches.entries()) {
    if (counts[index] === 0) continue;
    const part = lossAndGradients(model, batch, counts[index]! / total, dropout.fork(index));
    gradients = add(gradients, part.gradients);
    loss += (await part.loss.data())[0]!;
    part.loss.dispose();
  }
  const gradNorm = Number.isFinite(loss) ? await optimizer.step(gradients, learningRate) : Number.NaN;
  tf.dispose(gradients);

  const tokens = batches.reduce((sum, batch) => sum + batch.tokens.length, 0);
  return { loss, gradNorm, milliseconds: performance.now() - started, tokens };
}

/** share · loss and its gradients by parameter name, for those parameters that the loss depends on. */
function lossAndGradients(model: LanguageModel, batch: TrainingBatch, share: number, dropout: Rng) {
  const names = new Map(Object.entries(model.variables()).map(([name, variable]) => [variable.name, name]));
  return tf.tidy(() => {
    const [tokens, targets] = batchTensors(batch);
    const { value, grads } = tf.variableGrads(() => {
      const loss = model.loss(tokens, targets, { training: true, dropout });
      return share === 1 ? loss : loss.mul<tf.Scalar>(share);
    }, Object.values(model.variables()));
    const gradients = Object.fromEntries(Object.entries(grads).map(([name, grad]) => [names.get(name)!, grad]));
    return { loss: value, gradients };
  });
}

/** Sums by name, and frees what is no longer needed. */
function add(sum: Record<string, tf.Tensor>, part: Record<string, tf.Tensor>): Record<string, tf.Tensor> {
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

/** tokens and targets as int32 [rows, length] */
export function batchTensors({ tokens, targets, length }: TrainingBatch): [tf.Tensor2D, tf.Tensor2D] {
  const shape: [number, number] = [tokens.length / length, length];
  return [tf.tensor2d(tokens, shape, "int32"), tf.tensor2d(targets, shape, "int32")];
}
