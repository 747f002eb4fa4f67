/**
 * The keys of `leaky-keys.ts` for a text that is read piece by piece: the leaky average goes on from where the last piece
 * left it.
 *
 *   k_t = scale · ȳ_t/‖ȳ_t‖,   ȳ_t = e^{−λ} ȳ_{t−1} + (1 − e^{−λ}) u_t,   ȳ_{−1} = average (or 0 where the text begins)
 */
import * as tf from "@tensorflow/tfjs";
import { scaledUnitHeads, spreadHeads } from "./heads.js";
import { hasKernel, runKernel } from "./kernels.js";
import { linearRecurrence } from "./linear-recurrence.js";
import { expectHeads, expectShapes } from "./shapes.js";

export interface AdvancedKeys {
  /** [B, T, C] */
  keys: tf.Tensor3D;
  /** After the last position: [B, C]. */
  average: tf.Tensor2D;
}

/**
 * No gradient.
 *
 * @param u [B, T, C], T >= 1
 * @param rate [H], not negative
 * @param scale [H], the length of every key
 * @param average [B, C], of what came before
 */
export function advanceKeys(
  u: tf.Tensor3D,
  rate: tf.Tensor1D,
  scale: tf.Tensor1D,
  average?: tf.Tensor2D,
): AdvancedKeys {
  const { C, H } = expectShapes("advanceKeys", {
    u: [u, ["B", "T", "C"]],
    rate: [rate, ["H"]],
    scale: [scale, ["H"]],
    average: [average, ["B", "C"]],
  });
  expectHeads("advanceKeys", C, H);
  if (!hasKernel("AdvanceKeys")) return advanceKeysPlain(u, rate, scale, average);
  const [keys, last] = runKernel("AdvanceKeys", { u, rate, scale, average }, {});
  return { keys: keys as tf.Tensor3D, average: last as tf.Tensor2D };
}

export function advanceKeysPlain(
  u: tf.Tensor3D,
  rate: tf.Tensor1D,
  scale: tf.Tensor1D,
  average?: tf.Tensor2D,
): AdvancedKeys {
  return tf.tidy(() => {
    const [batch, time, width] = u.shape;
    const decay = spreadHeads(tf.exp(tf.neg(rate)), width);
    const averages = linearRecurrence(decay, u.mul(tf.sub(1, decay)) as tf.Tensor3D, average);
    const last = averages.slice([0, time - 1, 0], [batch, 1, width]).reshape<tf.Tensor2D>([batch, width]);
    return { keys: scaledUnitHeads(averages, scale), average: last };
  });
}
