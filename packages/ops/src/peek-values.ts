/**
 * The value extractor after its linear map: every value peeks `shift` positions ahead (MODELS 1.4), per head:
 *
 *   v_t = scale · v̄_t/‖v̄_t‖,   v̄_t = mix·w_t + (1 − mix)·w_{t+shift},   w = 0 beyond the end.
 *
 * With mix = 0 the last `shift` values are zero vectors; they give zero, not 0/0, so nothing is poisoned.
 */
import * as tf from "@tensorflow/tfjs";
import { scaledUnitHeads, spreadHeads } from "./heads.js";
import { hasKernel, runKernel, withGradient } from "./kernels.js";
import { expectHeads, expectShapes } from "./shapes.js";

/**
 * @param w [B, T, C]
 * @param mix [H], the share of the present; a free number, not clamped to [0, 1]
 * @param scale [H], the length of every value
 * @param shift how many positions the value looks ahead, at least 0
 * @returns [B, T, C]
 */
export function peekValues(w: tf.Tensor3D, mix: tf.Tensor1D, scale: tf.Tensor1D, shift: number): tf.Tensor3D {
  const { C, H } = expectShapes("peekValues", { w: [w, ["B", "T", "C"]], mix: [mix, ["H"]], scale: [scale, ["H"]] });
  expectHeads("peekValues", C, H);
  if (!Number.isInteger(shift) || shift < 0)
    throw new Error(`peekValues: expected a shift of 0 or more, found ${shift}`);
  if (!hasKernel("PeekValues")) return peekValuesPlain(w, mix, scale, shift);
  return withGradient<tf.Tensor3D>(
    [w, mix, scale],
    (save) => {
      const [values, norm] = runKernel("PeekValues", { w, mix, scale }, { shift });
      save([w, mix, scale, values, norm]);
      return values as tf.Tensor3D;
    },
    (dy, [w, mix, scale, values, norm]) =>
      runKernel("PeekValuesGrad", { w: w!, mix: mix!, scale: scale!, values: values!, norm: norm!, dy }, { shift }),
  );
}

export function peekValuesPlain(w: tf.Tensor3D, mix: tf.Tensor1D, scale: tf.Tensor1D, shift: number): tf.Tensor3D {
  return tf.tidy(() => {
    const [batch, time, width] = w.shape;
    const present = spreadHeads(mix, width);
    const ahead = Math.min(shift, time);
    const later = tf.concat([w.slice([0, ahead, 0], [batch, time - ahead, width]), tf.zeros([batch, ahead, width])], 1);
    return scaledUnitHeads(w.mul(present).add(later.mul(tf.sub(1, present))) as tf.Tensor3D, scale);
  });
}
