/**
 * The weights with which a memory reads, materialised for a probe. The reads themselves never form these matrices.
 */
import { splitHeads } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";

/**
 * softmax_j(scale · q_i·k_j) over i − farthest ≤ j ≤ i − nearest; rows without any such j are 0.
 *
 * @returns [batch, heads, time, time]
 */
export function causalWeights(
  queries: tf.Tensor3D,
  keys: tf.Tensor3D,
  { heads, nearest, farthest, scale = 1 }: { heads: number; nearest: number; farthest?: number; scale?: number },
): tf.Tensor4D {
  const time = keys.shape[1];
  const scores = tf.mul(tf.matMul(splitHeads(queries, heads), splitHeads(keys, heads), false, true), scale);
  const position = tf.range(0, time);
  const distance = tf.sub(tf.reshape(position, [time, 1]), tf.reshape(position, [1, time]));
  const readable = tf.logicalAnd(tf.greaterEqual(distance, nearest), tf.lessEqual(distance, farthest ?? time));
  const masked = tf.where(tf.broadcastTo(readable, scores.shape), scores, tf.fill(scores.shape, -1e30));
  return tf.mul(tf.softmax(masked), tf.cast(readable, "float32"));
}

/**
 * softmax_p(k_t · K_p) over the slots of a persistent memory.
 *
 * @param keys [batch, time, width]
 * @param slotKeys [1, heads, slots, features]
 * @returns [batch, heads, time, slots]
 */
export function slotWeights(keys: tf.Tensor3D, slotKeys: tf.Tensor4D): tf.Tensor4D {
  const [, heads, slots, features] = slotKeys.shape;
  const stored = tf.broadcastTo(slotKeys, [keys.shape[0], heads, slots, features]);
  return tf.softmax(tf.matMul(splitHeads(keys, heads), stored, false, true));
}
