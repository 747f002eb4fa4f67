/** Heads: contiguous parts of width D of the last axis C = H·D. */
import * as tf from "@tensorflow/tfjs";

/** [B, T, C] → [B, H, T, D] */
export function splitHeads(x: tf.Tensor3D, heads: number): tf.Tensor4D {
  const [batch, time, width] = x.shape;
  return x.reshape<tf.Tensor4D>([batch, time, heads, width / heads]).transpose([0, 2, 1, 3]);
}

/** [B, H, T, D] → [B, T, C] */
export function joinHeads(x: tf.Tensor4D): tf.Tensor3D {
  const [batch, heads, time, width] = x.shape;
  return x.transpose([0, 2, 1, 3]).reshape([batch, time, heads * width]);
}

/** A vector per head [H] spread over the features [C]. */
export function spreadHeads(perHead: tf.Tensor1D, width: number): tf.Tensor1D {
  const heads = perHead.shape[0];
  return perHead
    .reshape([heads, 1])
    .mul(tf.ones([1, width / heads]))
    .reshape([width]);
}

/**
 * scale_h · x/‖x‖ per head and position; a head that is the zero vector stays zero, and no gradient flows through it.
 *
 * @param x [B, T, C]
 * @param scale [H]
 */
export function scaledUnitHeads(x: tf.Tensor3D, scale: tf.Tensor1D): tf.Tensor3D {
  const [batch, time, width] = x.shape;
  const heads = scale.shape[0];
  const parts = x.reshape<tf.Tensor4D>([batch, time, heads, width / heads]);
  const squares = parts.square().sum(-1, true);
  const something = isNonZero(squares);
  const inverse = squares.add(tf.sub(1, something)).rsqrt().mul(something);
  return parts
    .mul(inverse)
    .mul(scale.reshape([heads, 1]))
    .reshape([batch, time, width]);
}

/** 1 where x is not zero, 0 where it is; a constant for the gradient (TF.js has none for comparisons). */
function isNonZero<X extends tf.Tensor>(x: X): X {
  return tf.customGrad((x) => ({
    value: (x as tf.Tensor).notEqual(0).toFloat(),
    gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
  }))(x) as X;
}
