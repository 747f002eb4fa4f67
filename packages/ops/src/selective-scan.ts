/**
 * The selective scan, the state-space recurrence of Mamba (Gu & Dao, arXiv 2312.00752, section 3.2): step sizes, inputs and
 * outputs of the state depend on the token,
 *
 *   h_t = e^{δ_t A} ⊙ h_{t−1} + (δ_t x_t) B_tᵀ,   y_t = h_t C_t,   h_{−1} = 0
 *
 * with one state of N numbers per channel. The states [B, T, E, N] are N times as large as the input: they exist only for a
 * chunk of steps at a time, and the gradient computes them again, chunk by chunk from the last, from what each chunk began
 * with.
 */
import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel, withGradient } from "./kernels.js";
import { linearRecurrence, linearRecurrencePlain } from "./linear-recurrence.js";
import { expectShapes } from "./shapes.js";

/** Numbers in the states of one chunk, at most (but one step at least). */
const CHUNK_SIZE = 2 ** 22;

/**
 * @param x [B, T, E], inputs of the channels
 * @param delta [B, T, E], step sizes, positive
 * @param dynamics [E, N], A, negative
 * @param input [B, T, N], B
 * @param output [B, T, N], C
 * @param chunk steps per chunk where the backend has no kernel of its own
 * @returns y [B, T, E]
 */
export function selectiveScan(
  x: tf.Tensor3D,
  delta: tf.Tensor3D,
  dynamics: tf.Tensor2D,
  input: tf.Tensor3D,
  output: tf.Tensor3D,
  chunk?: number,
): tf.Tensor3D {
  const { B, T, E, N } = expectShapes("selectiveScan", {
    x: [x, ["B", "T", "E"]],
    delta: [delta, ["B", "T", "E"]],
    dynamics: [dynamics, ["E", "N"]],
    input: [input, ["B", "T", "N"]],
    output: [output, ["B", "T", "N"]],
  });
  const given = [x, delta, dynamics, input, output];
  if (hasKernel("SelectiveScan")) {
    return withGradient<tf.Tensor3D>(
      given,
      (save) => {
        save(given);
        return runKernel("SelectiveScan", { x, delta, dynamics, input, output }, {})[0] as tf.Tensor3D;
      },
      (dy, [x, delta, dynamics, input, output]) =>
        runKernel(
          "SelectiveScanGrad",
          { x: x!, delta: delta!, dynamics: dynamics!, input: input!, output: output!, dy },
          {},
        ),
    );
  }
  const steps = Math.min(T, chunk ?? Math.max(1, Math.floor(CHUNK_SIZE / (B * E * N))));
  const starts = Array.from({ length: Math.ceil(T / steps) }, (_, i) => i * steps);
  /** What a chunk reads: x, δ, B and C of its steps, and A. */
  const part = (tensors: tf.Tensor[], start: number) =>
    tensors.map((tensor, i) =>
      i === 2 ? tensor : tf.slice(tensor, [0, start, 0], [-1, Math.min(steps, T - start), -1]),
    );
  return withGradient<tf.Tensor3D>(
    given,
    (save) =>
      tf.tidy(() => {
        let state: tf.Tensor = tf.zeros([B, E * N]);
        const begun: tf.Tensor[] = [];
        const outputs = starts.map((start) => {
          begun.push(state);
          const [y, last] = tf.tidy(() => scan(part(given, start), state, linearRecurrence));
          state = last;
          return y;
        });
        save([...given, ...begun]);
        return tf.concat(outputs, 1);
      }),
    (dy, saved) => {
      const begun = saved.slice(given.length);
      const parts: tf.Tensor[][] = []; // gradients of x, δ, A, B, C by chunk, the last first
      let dLast: tf.Tensor = tf.zeros([B, E * N]);
      for (const [i, start] of [...starts.entries()].reverse()) {
        const dOut = tf.slice(dy, [0, start, 0], [-1, Math.min(steps, T - start), -1]);
        const before = dLast;
        const [dFirst, ...gradients] = tf.tidy(() =>
          scanGradient(part(saved.slice(0, 5), start), begun[i]!, before, dOut),
        );
        tf.dispose([dOut, before]);
        dLast = dFirst!;
        parts.push(gradients);
      }
      return given.map((_, at) => {
        const pieces = parts.map((gradients) => gradients[at]!).reverse();
        return at === 2 ? tf.addN(pieces) : tf.concat(pieces, 1);
      });
    },
  );
}

/** All steps at once, by the definition. */
export function selectiveScanPlain(
  x: tf.Tensor3D,
  delta: tf.Tensor3D,
  dynamics: tf.Tensor2D,
  input: tf.Tensor3D,
  output: tf.Tensor3D,
): tf.Tensor3D {
  const state = tf.zeros([x.shape[0], dynamics.size]);
  return tf.tidy(() => scan([x, delta, dynamics, input, output], state, linearRecurrencePlain)[0]);
}

/** Inputs of the recurrence of some steps: decays and what enters, [B, T, E, N]. */
function recurrenceOf([x, delta, dynamics, input]: tf.Tensor[]): [decay: tf.Tensor, entering: tf.Tensor] {
  const decay = tf.exp(tf.mul(tf.expandDims(delta!, 3), dynamics!));
  return [decay, tf.mul(tf.expandDims(tf.mul(delta!, x!), 3), tf.expandDims(input!, 2))];
}

/** y of some steps, and the state [B, E·N] after them. */
function scan(
  given: tf.Tensor[],
  state: tf.Tensor,
  recurrence: typeof linearRecurrence,
): [y: tf.Tensor3D, last: tf.Tensor] {
  const [batch, time, channels] = given[0]!.shape as [number, number, number];
  const size = given[2]!.shape[1]!;
  const [decay, entering] = recurrenceOf(given).map((h) => tf.reshape(h, [batch, time, channels * size]));
  const states = recurrence(decay as tf.Tensor3D, entering as tf.Tensor3D, state as tf.Tensor2D);
  const last = tf.reshape(tf.slice(states, [0, time - 1, 0], [-1, 1, -1]), [batch, channels * size]);
  const byChannel = tf.reshape(states, [batch * time, channels, size]);
  const y = tf.matMul(byChannel, tf.reshape(given[4]!, [batch * time, size, 1]));
  return [tf.reshape(y, [batch, time, channels]), last];
}

/**
 * Gradients of the state before some steps, and of x, δ, A, B and C there, from those of the state after them and of y:
 * g_t = dy_t C_tᵀ + e^{δ_{t+1} A} ⊙ g_{t+1} is the gradient of what enters, g_t ⊙ h_{t−1} that of the decay.
 */
function scanGradient(given: tf.Tensor[], state: tf.Tensor, dLast: tf.Tensor, dy: tf.Tensor): tf.Tensor[] {
  const [x, delta, dynamics, input, output] = given as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const [batch, time, channels] = x.shape as [number, number, number];
  const size = dynamics.shape[1]!;
  const [rows, whole] = [batch * time, [batch, time, channels, size]];
  const flat = (h: tf.Tensor) => tf.reshape(h, [batch, time, channels * size]) as tf.Tensor3D;
  const [decay, entering] = recurrenceOf(given).map(flat) as [tf.Tensor3D, tf.Tensor3D];
  const states = linearRecurrence(decay, entering, state as tf.Tensor2D);
  /** The recurrence a step late: `first`, then all but the last. */
  const late = (h: tf.Tensor, first: tf.Tensor) =>
    tf.concat([tf.reshape(first, [batch, 1, -1]), tf.slice(h, [0, 0, 0], [-1, time - 1, -1])], 1) as tf.Tensor3D;

  const direct = flat(tf.mul(tf.expandDims(dy, 3), tf.expandDims(output, 2)));
  const backwards = late(tf.reverse(decay, 1), tf.onesLike(dLast));
  const g = tf.reverse(linearRecurrence(backwards, tf.reverse(direct, 1) as tf.Tensor3D, dLast as tf.Tensor2D), 1);
  const dFirst = tf.mul(tf.slice(decay, [0, 0, 0], [-1, 1, -1]), tf.slice(g, [0, 0, 0], [-1, 1, -1]));
  const dExponent = tf.reshape(tf.mul(tf.mul(g, late(states, state)), decay), whole); // of δ A

  const perRow = (h: tf.Tensor) => tf.reshape(h, [rows, channels, size]);
  const acrossChannels = (of: tf.Tensor, h: tf.Tensor) =>
    tf.reshape(tf.matMul(tf.reshape(of, [rows, 1, channels]), perRow(h)), [batch, time, size]);
  const dScaled = tf.reshape(tf.matMul(perRow(g), tf.reshape(input, [rows, size, 1])), x.shape); // of δ x
  return [
    tf.reshape(dFirst, dLast.shape),
    tf.mul(dScaled, delta),
    tf.add(tf.mul(dScaled, x), tf.sum(tf.mul(dExponent, dynamics), 3)),
    tf.sum(tf.mul(dExponent, tf.expandDims(delta, 3)), [0, 1]),
    acrossChannels(tf.mul(delta, x), g),
    acrossChannels(dy, states),
  ];
}
