/**
 * Rotation of keys and queries by their position n: the pair (x_2j, x_2j+1) turns by the angle n·θ_j,
 *
 *   (a, b) → (a cos − b sin, b cos + a sin),   θ_j = 10000^{−j/(D/2 − 1)},  j = 0 … D/2−1  (θ_0 = 1 when D = 2)
 */
import * as tf from "@tensorflow/tfjs";

/** @returns the rotation of x [B, H, T, D] as a function, with its tables made once */
export function rotation(time: number, width: number): (x: tf.Tensor4D) => tf.Tensor4D {
  const pairs = width / 2;
  const cosines = new Float32Array(time * width);
  const sines = new Float32Array(time * width);
  for (let pair = 0; pair < pairs; pair++) {
    const theta = 10000 ** -(pair / Math.max(pairs - 1, 1));
    for (let n = 0; n < time; n++) {
      for (const at of [n * width + 2 * pair, n * width + 2 * pair + 1]) {
        cosines[at] = Math.cos(n * theta);
        sines[at] = Math.sin(n * theta);
      }
    }
  }
  const [cos, sin] = [tf.tensor2d(cosines, [time, width]), tf.tensor2d(sines, [time, width])];
  // (a, b) → (−b, a) as a matrix: one product, where taking pairs apart would take four strided copies.
  const turn = tf.tensor2d(
    Float32Array.from({ length: width * width }, (_, i) => {
      const [from, to] = [Math.floor(i / width), i % width];
      return to === (from ^ 1) ? (to > from ? 1 : -1) : 0;
    }),
    [width, width],
  );
  return (x) => {
    const turned = tf.matMul(x.reshape([-1, width]), turn).reshape<tf.Tensor4D>(x.shape);
    return tf.add(tf.mul(x, cos), tf.mul(turned, sin));
  };
}
