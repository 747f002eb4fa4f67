/**
 * The key extractor after its linear map: leaky average, unit norm and scale, per head (MODELS 1.3):
 *
 *   k_t = scale · ȳ_t/‖ȳ_t‖,   ȳ the leaky average of u.   No epsilon: the zero vector gives the zero key.
 */
import type * as tf from "@tensorflow/tfjs";
import { tidy } from "@tensorflow/tfjs";
import { scaledUnitHeads } from "./heads.js";
import { hasKernel, runKernel, withGradient } from "./kernels.js";
import { leakyAverage, leakyAveragePlain } from "./leaky-average.js";
import { expectHeads, expectShapes } from "./shapes.js";

/**
 * @param u [B, T, C]
 * @param rate [H], not negative
 * @param scale [H], the length of every key
 * @returns [B, T, C]
 */
export function leakyKeys(u: tf.Tensor3D, rate: tf.Tensor1D, scale: tf.Tensor1D): tf.Tensor3D {
  const { C, H } = expectShapes("leakyKeys", { u: [u, ["B", "T", "C"]], rate: [rate, ["H"]], scale: [scale, ["H"]] });
  expectHeads("leakyKeys", C, H);
  if (!hasKernel("LeakyKeys")) return tidy(() => scaledUnitHeads(leakyAverage(u, rate), scale));
  return withGradient<tf.Tensor3D>(
    [u, rate, scale],
    (save) => {
      const [keys, norm] = runKernel("LeakyKeys", { u, rate, scale }, {});
      save([u, rate, scale, keys, norm]);
      return keys as tf.Tensor3D;
    },
    (dy, [u, rate, scale, keys, norm]) =>
      runKernel("LeakyKeysGrad", { u: u!, rate: rate!, scale: scale!, keys: keys!, norm: norm!, dy }, {}),
  );
}

export function leakyKeysPlain(u: tf.Tensor3D, rate: tf.Tensor1D, scale: tf.Tensor1D): tf.Tensor3D {
  return tidy(() => scaledUnitHeads(leakyAveragePlain(u, rate), scale));
}
