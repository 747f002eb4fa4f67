/** Looking inside: the named inner values of one forward pass. */
import * as tf from "@tensorflow/tfjs";
import type { LanguageModel } from "./model.js";

/**
 * Runs a model without dropout and returns copies of its inner values, which the caller frees. Names begin with the
 * module's: `embedding`, `blocks.0.attn.keys.leaky`, `blocks.0.attn.weights` [batch, heads, time, time],
 * `blocks.0.pmem.weights.0` [batch, heads, time, slots], `blocks.1.pmem.output`, `stream` …
 *
 * @param tokens int32 [batch, time]
 * @param wants which names to keep; by default all
 */
export function inspect(
  model: LanguageModel,
  tokens: tf.Tensor2D,
  wants: (name: string) => boolean = () => true,
): Record<string, tf.Tensor> {
  const values: Record<string, tf.Tensor> = {};
  const take = (name: string, value: tf.Tensor) => {
    values[name] = tf.keep(tf.clone(value));
  };
  tf.dispose(model.logits(tokens, { training: false, probe: { wants, take } }));
  return values;
}
