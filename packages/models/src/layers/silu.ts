import * as tf from "@tensorflow/tfjs";

/** x/(1 + e^{−x}), "swish" */
export function silu<X extends tf.Tensor>(x: X): X {
  return tf.mul(x, tf.sigmoid(x));
}
