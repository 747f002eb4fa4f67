/**
 * Linear maps of complex numbers, stored as real matrices (out, in). A number x + iy is a pair of coordinates; a real
 * matrix multiplies complex numbers if and only if it commutes with J, which turns every pair by a right angle:
 *
 *   J = diag(j, …, j),  j = [[0, 1], [−1, 0]],     complexified(W) = ½ (W + J W Jᵀ)
 *
 * On each 2×2 block: [[a, b], [c, d]] → [[r, m], [−m, r]] with r = (a + d)/2, m = (b − c)/2. It is a projection, applied
 * whenever the map is used, so gradients see it.
 */
import * as tf from "@tensorflow/tfjs";

/** The complex map nearest to a real matrix [out, in]; both sides even. */
export function complexified(weight: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => {
    const [rows, columns] = weight.shape;
    const turned = tf.matMul(tf.matMul(quarterTurn(rows), weight), quarterTurn(columns), false, true);
    return tf.mul(tf.add(weight, turned), 0.5);
  });
}

/** J: [size, size] */
function quarterTurn(size: number): tf.Tensor2D {
  const values = new Float32Array(size * size);
  for (let pair = 0; pair < size; pair += 2) {
    values[pair * size + pair + 1] = 1;
    values[(pair + 1) * size + pair] = -1;
  }
  return tf.tensor2d(values, [size, size]);
}

/** |w| of every complex entry of a complexified matrix, row after row. */
export async function moduli(weight: tf.Tensor2D): Promise<number[][]> {
  const values = await weight.array();
  return Array.from({ length: values.length / 2 }, (_, row) =>
    Array.from({ length: values[0]!.length / 2 }, (_, column) =>
      Math.hypot(values[2 * row]![2 * column]!, values[2 * row]![2 * column + 1]!),
    ),
  );
}
