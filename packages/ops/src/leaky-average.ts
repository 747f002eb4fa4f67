/**
 * The leaky average of a sequence, per head with rate λ (MODELS 1.3; Memory Mosaics, section 4, eq. 6):
 *
 *   y_t = e^{−λ} y_{t−1} + (1 − e^{−λ}) u_t,   y_{−1} = 0,
 *
 * that is y = L u with the lower-triangular matrix L_tj = (1 − e^{−λ}) e^{−λ(t−j)}.
 */
import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel, withGradient } from "./kernels.js";
import { expectHeads, expectShapes } from "./shapes.js";

/**
 * @param u [B, T, C]
 * @param rate [H], not negative
 * @returns [B, T, C]
 */
export function leakyAverage(u: tf.Tensor3D, rate: tf.Tensor1D): tf.Tensor3D {
  const { C, H } = expectShapes("leakyAverage", { u: [u, ["B", "T", "C"]], rate: [rate, ["H"]] });
  expectHeads("leakyAverage", C, H);
  if (!hasKernel("LeakyAverage")) return leakyAveragePlain(u, rate);
  return withGradient<tf.Tensor3D>(
    [u, rate],
    (save) => {
      const [average] = runKernel("LeakyAverage", { u, rate }, {});
      save([u, rate, average]);
      return average as tf.Tensor3D;
    },
    (dy, [u, rate, average]) => runKernel("LeakyAverageGrad", { u: u!, rate: rate!, average: average!, dy }, {}),
  );
}

export function leakyAveragePlain(u: tf.Tensor3D, rate: tf.Tensor1D): tf.Tensor3D {
  return tf.tidy(() => {
    const heads = rate.shape[0];
    const time = u.shape[1];
    const steps = tf.range(0, time);
    const distance = steps.expandDims(1).sub(steps.expandDims(0)); // [T, T], t − j
    const lambda = rate.reshape([heads, 1, 1]);
    const weights = lambda.neg().mul(distance.relu()).exp().mul(distance.greaterEqual(0).toFloat());
    const leak = tf.sub(1, lambda.neg().exp());
    const matrix = weights.mul(leak) as tf.Tensor3D; // [H, T, T]
    // All sequences of a head side by side, [H, T, B·D]: one product per head, and no copies of the matrix.
    const [batch, , width] = u.shape;
    const parts = u.reshape([batch, time, heads, width / heads]).transpose([2, 1, 0, 3]);
    const averages = tf.matMul(matrix, parts.reshape<tf.Tensor3D>([heads, time, (batch * width) / heads]));
    return averages
      .reshape([heads, time, batch, width / heads])
      .transpose([2, 1, 0, 3])
      .reshape([batch, time, width]);
  });
}
