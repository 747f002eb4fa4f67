/**
 * What the rest of the toolkit knows of a model: token ids in, scores or losses out, named variables in between. Every
 * architecture of the zoo is one folder that ends in a `LanguageModel`.
 */
import type { Dropout } from "@mm/ops";
import type { Rng } from "@mm/run";
import type * as tf from "@tensorflow/tfjs";

/**
 * How a forward pass runs. In training, `dropout` is the stream of this very pass (fork it by step and micro-batch):
 * each dropout forks it once more by its own name, so masks depend on nothing but the seed, the step and the place.
 */
export type Mode = { training: false; probe?: Probe } | { training: true; dropout: Rng; probe?: Probe };

/** The mode of evaluation and generation: no dropout, nothing watched. */
export const inference: Mode = { training: false };

/**
 * A listener to named inner values (keys, read weights, block outputs …). What fused kernels never materialise is
 * computed for it by the slow definitions, and only for the names that it wants.
 */
export interface Probe {
  wants(name: string): boolean;
  /** Receives a tensor that is freed when the forward pass ends: copy or `tf.keep` it to use it later. */
  take(name: string, value: tf.Tensor): void;
}

/** A model that predicts each next token of a sequence from the tokens up to it. */
export interface LanguageModel {
  /** Which member of the zoo it is: a key of `models`. */
  readonly name: string;
  /** The complete configuration, as stored beside its weights. */
  readonly config: { readonly kind: string; readonly vocabulary: number; readonly contextLength: number };
  /** Trainable variables under the authors' parameter names, always in the same order. */
  variables(): Record<string, tf.Variable>;
  /** Whether weight decay applies to the variable of this name. */
  decayed(name: string): boolean;
  /**
   * Scores of every next token.
   *
   * @param tokens int32 [batch, time], time ≤ contextLength
   * @returns [batch, time − skipped, vocabulary]; only a Memory Mosaic with `skipTokens` skips positions
   */
  logits(tokens: tf.Tensor2D, mode?: Mode): tf.Tensor3D;
  /** Scores of the token that follows the last one: [batch, vocabulary]. */
  nextLogits(tokens: tf.Tensor2D): tf.Tensor2D;
  /**
   * Mean cross-entropy in nats over the positions whose target is not −1; differentiable.
   *
   * @param tokens int32 [batch, time]
   * @param targets int32 [batch, time], −1 where ignored
   */
  loss(tokens: tf.Tensor2D, targets: tf.Tensor2D, mode: Mode): tf.Scalar;
  /** Cross-entropy in nats at every position (skipped ones too), 0 where the target is −1: [batch, time]. */
  tokenLosses(tokens: tf.Tensor2D, targets: tf.Tensor2D): tf.Tensor2D;
  /** Frees the variables. */
  dispose(): void;
}

/** The dropout of one place in the network, or nothing outside training. */
export function dropoutAt(mode: Mode, name: string, rate: number): Dropout | undefined {
  return mode.training && rate > 0 ? { rate, key: mode.dropout.fork(name).key } : undefined;
}

/** Shows an inner value to the probe, computing it only when somebody watches. */
export function observe(mode: Mode, name: string, value: () => tf.Tensor): void {
  if (mode.probe?.wants(name)) mode.probe.take(name, value());
}
