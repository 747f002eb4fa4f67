/** A value that counts as a constant for the gradient, whatever it is computed from ("stop-gradient", "detach"). */
import * as tf from "@tensorflow/tfjs";

export function withoutGradient<Value extends tf.Tensor>(compute: () => Value): Value {
  // A step without inputs: nothing of what happens inside is recorded, and no gradient passes it.
  return tf.customGrad(() => ({ value: compute(), gradFunc: () => [] }))() as Value;
}
