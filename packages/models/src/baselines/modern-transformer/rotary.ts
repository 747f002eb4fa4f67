/**
 * Rotary positions (arXiv 2104.09864): pair j of a head turns by the angle t·base^{−2j/D}, so that a product of a query
 * and a key depends on their distance alone,
 *
 *   (a, b) → (a cos − b sin, b cos + a sin)
 */
import * as tf from "@tensorflow/tfjs";

/** @returns the rotation of x [B, T, C] with heads of width D, as a function with its tables made once */
export function rotary(time: number, width: number, depth: number, base: number): (x: tf.Tensor3D) => tf.Tensor3D {
  const cosines = new Float32Array(time * width);
  const sines = new Float32Array(time * width);
  for (let t = 0, at = 0; t < time; t++) {
    for (let c = 0; c < width; c++, at++) {
      const pair = (c % depth) >> 1;
      const angle = t * base ** ((-2 * pair) / depth);
      cosines[at] = Math.cos(angle);
      sines[at] = c % 2 === 0 ? -Math.sin(angle) : Math.sin(angle);
    }
  }
  const [cos, sin] = [tf.tensor2d(cosines, [time, width]), tf.tensor2d(sines, [time, width])];
  const turn = (x: tf.Tensor, cosine: tf.Tensor, sine: tf.Tensor): tf.Tensor3D => {
    const swapped = tf.reshape(tf.reverse(tf.reshape(x, [x.size / 2, 2]), 1), x.shape); // (b, a)
    return tf.add(tf.mul(x, cosine), tf.mul(swapped, sine));
  };
  const operation = tf.customGrad((x, save) => {
    const keep = save as tf.GradSaveFunc;
    keep([cos, sin]);
    return {
      value: turn(x as tf.Tensor, cos, sin),
      // The gradient of a rotation is the rotation back.
      gradFunc: (dy: tf.Tensor, [cosine, sine]: tf.Tensor[]) => turn(dy, cosine!, tf.neg(sine!)),
    };
  });
  return (x) => operation(x) as tf.Tensor3D;
}
