/** One batch through a model: forward for the loss of each token, forward and backward for a share of a gradient. */
import type { LanguageModel } from "@mm/models";
import type { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";

/** Sequences of equal length, row after row; a target of −1 is ignored. */
export interface TrainingBatch {
  /** [rows, length] */
  readonly tokens: Int32Array;
  /** [rows, length] */
  readonly targets: Int32Array;
  /** Tokens per row. */
  readonly length: number;
}

/** How many are not ignored. */
export function countTargets(targets: Int32Array): number {
  return targets.reduce((count, target) => count + (target === -1 ? 0 : 1), 0);
}

/** A batch of a training step, and how much its mean loss counts there. */
export interface WeightedBatch {
  readonly batch: TrainingBatch;
  readonly share: number;
  readonly dropout: Rng;
}

export interface LossAndGradients {
  /** share · mean loss, in nats */
  readonly loss: number;
  /** Of that, by parameter name, for those parameters that it depends on; whoever receives them frees them. */
  readonly gradients: Readonly<Record<string, tf.Tensor>>;
}

export async function lossAndGradients(
  model: LanguageModel,
  { batch, share, dropout }: WeightedBatch,
): Promise<LossAndGradients> {
  const names = new Map(Object.entries(model.variables()).map(([name, variable]) => [variable.name, name]));
  const { value, gradients } = tf.tidy(() => {
    const [tokens, targets] = batchTensors(batch);
    const { value, grads } = tf.variableGrads(() => {
      const loss = model.loss(tokens, targets, { training: true, dropout });
      return share === 1 ? loss : loss.mul<tf.Scalar>(share);
    }, Object.values(model.variables()));
    const gradients = Object.fromEntries(Object.entries(grads).map(([name, grad]) => [names.get(name)!, grad]));
    return { value, gradients };
  });
  const [loss] = await value.data();
  value.dispose();
  return { loss: loss!, gradients };
}

/** Cross-entropy of every target in nats, row after row; 0 where the target is ignored. */
export async function tokenLosses(model: LanguageModel, batch: TrainingBatch): Promise<Float32Array> {
  const losses = tf.tidy(() => model.tokenLosses(...batchTensors(batch)));
  const values = (await losses.data()) as Float32Array;
  losses.dispose();
  return values;
}

/** tokens and targets as int32 [rows, length] */
export function batchTensors({ tokens, targets, length }: TrainingBatch): [tf.Tensor2D, tf.Tensor2D] {
  const shape: [number, number] = [tokens.length / length, length];
  return [tf.tensor2d(tokens, shape, "int32"), tf.tensor2d(targets, shape, "int32")];
}
