/** The diagonal linear recurrence h_t = decay_t·h_{t−1} + input_t, the heart of state-space and recurrent models. */
import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel, withGradient } from "./kernels.js";
import { expectShapes } from "./shapes.js";

/**
 * @param decay [B, T, N], or [N] when it is the same everywhere
 * @param input [B, T, N]
 * @param initial [B, N], the state before the first step; zero when not given
 * @returns the states h [B, T, N]
 */
export function linearRecurrence(
  decay: tf.Tensor3D | tf.Tensor1D,
  input: tf.Tensor3D,
  initial?: tf.Tensor2D,
): tf.Tensor3D {
  expectShapes("linearRecurrence", {
    input: [input, ["B", "T", "N"]],
    decay: [decay, decay.rank === 1 ? ["N"] : ["B", "T", "N"]],
    initial: [initial, ["B", "N"]],
  });
  if (!hasKernel("LinearRecurrence")) return linearRecurrencePlain(decay, input, initial);
  return withGradient<tf.Tensor3D>(
    initial === undefined ? [decay, input] : [decay, input, initial],
    (save) => {
      const [states] = runKernel("LinearRecurrence", { decay, input, initial }, {});
      save(initial === undefined ? [decay, states] : [decay, states, initial]);
      return states as tf.Tensor3D;
    },
    (dy, [decay, states, initial]) =>
      runKernel("LinearRecurrenceGrad", { decay: decay!, states: states!, initial, dy }, {}) as tf.Tensor[],
  );
}

export function linearRecurrencePlain(
  decay: tf.Tensor3D | tf.Tensor1D,
  input: tf.Tensor3D,
  initial?: tf.Tensor2D,
): tf.Tensor3D {
  return tf.tidy(() => {
    const [batch, time, width] = input.shape;
    const at = (x: tf.Tensor, t: number) => x.slice([0, t, 0], [batch, 1, width]);
    const states: tf.Tensor[] = [];
    let state: tf.Tensor = initial?.expandDims(1) ?? tf.zeros([batch, 1, width]);
    for (let t = 0; t < time; t++) {
      state = state.mul(decay.rank === 1 ? decay : at(decay, t)).add(at(input, t));
      states.push(state);
    }
    return tf.concat(states, 1) as tf.Tensor3D;
  });
}
