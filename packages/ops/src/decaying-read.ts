/**
 * Reading of a linear memory that forgets at a constant rate γ per head, 0 < γ ≤ 1:
 *
 *   S_t = γ S_{t−1} + k_t v_tᵀ,   y_t = S_tᵀ q_t = Σ_{s≤t} γ^{t−s} (q_t·k_s) v_s
 *
 * γ = 1 is linear attention without feature map; γ < 1 is retention.
 */
import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel, withGradient } from "./kernels.js";
import { expectShapes } from "./shapes.js";

/** Steps per chunk: about as many products within a chunk as with its state at usual head widths. */
const CHUNK = 64;

/**
 * @param queries and keys [B, H, T, D]
 * @param values [B, H, T, E]
 * @param decays γ of each head
 * @param longest steps per chunk where the backend has no kernel of its own
 * @returns [B, H, T, E]
 */
export function decayingRead(
  queries: tf.Tensor4D,
  keys: tf.Tensor4D,
  values: tf.Tensor4D,
  decays: readonly number[],
  longest = CHUNK,
): tf.Tensor4D {
  const { H } = expectShapes("decayingRead", {
    queries: [queries, ["B", "H", "T", "D"]],
    keys: [keys, ["B", "H", "T", "D"]],
    values: [values, ["B", "H", "T", "E"]],
  });
  if (decays.length !== H) throw new RangeError(`decayingRead: expected ${H} decays but found ${decays.length}`);
  if (!hasKernel("DecayingRead")) return readChunks(queries, keys, values, decays, longest);
  return withGradient<tf.Tensor4D>(
    [queries, keys, values],
    (save) => {
      const rates = tf.tensor1d([...decays]);
      save([queries, keys, values, rates]);
      return runKernel("DecayingRead", { queries, keys, values, decays: rates }, {})[0] as tf.Tensor4D;
    },
    (dy, [queries, keys, values, rates]) =>
      runKernel("DecayingReadGrad", { queries: queries!, keys: keys!, values: values!, decays: rates!, dy }, {}),
  );
}

/**
 * The chunked form, all chunks at once: with G the positions of a chunk, U_n = Σ_{s∈G} γ^{end−s} k_s v_sᵀ is what chunk
 * n adds to the memory, S_n = Σ_{m<n} γ^{c(n−1−m)} U_m what it finds, and
 *
 *   y_t = γ^{t+1−start} S_nᵀ q_t + Σ_{s∈G, s≤t} γ^{t−s} (q_t·k_s) v_s
 *
 * No exponent is positive, so nothing overflows.
 */
function readChunks(
  queries: tf.Tensor4D,
  keys: tf.Tensor4D,
  values: tf.Tensor4D,
  decays: readonly number[],
  longest: number,
): tf.Tensor4D {
  return tf.tidy(() => {
    const [batch, heads, time, wide] = values.shape;
    const width = keys.shape[3];
    const chunks = Math.ceil(time / longest);
    const steps = Math.ceil(time / chunks);
    const forgets = decays.some((decay) => decay < 1);
    const chunked = (x: tf.Tensor4D) => chunkedTime(x, chunks, steps);
    const [q, k, v] = [chunked(queries), chunked(keys), chunked(values)];
    const within = perHead(decays, steps, steps, (t, s, decay) => (s <= t ? decay ** (t - s) : 0));
    const inside = tf.matMul(tf.mul(tf.matMul(q, k, false, true), tf.expandDims(within, 2)), v);
    if (chunks === 1) return wholeTime(inside, time);
    const leaving = perHead(decays, steps, 1, (s, _, decay) => decay ** (steps - 1 - s));
    const added = tf.matMul(forgets ? tf.mul(k, tf.expandDims(leaving, 2)) : k, v, true); // [B, H, chunks, D, E]
    const between = perHead(decays, chunks, chunks, (n, m, decay) => (m < n ? decay ** (steps * (n - 1 - m)) : 0));
    const found = tf
      .matMul(between, added.reshape([batch, heads, chunks, width * wide]))
      .reshape([batch, heads, chunks, width, wide]);
    const arriving = perHead(decays, steps, 1, (t, _, decay) => decay ** (t + 1));
    return wholeTime(tf.add(inside, tf.matMul(forgets ? tf.mul(q, tf.expandDims(arriving, 2)) : q, found)), time);
  });
}

/** The recurrent form, one step after another: the definition. */
export function decayingReadPlain(
  queries: tf.Tensor4D,
  keys: tf.Tensor4D,
  values: tf.Tensor4D,
  decays: readonly number[],
): tf.Tensor4D {
  return tf.tidy(() => {
    const decay = tf.tensor(decays as number[], [1, decays.length, 1, 1]);
    const [batch, heads, time, width] = keys.shape;
    let memory: tf.Tensor = tf.zeros([batch, heads, width, values.shape[3]]);
    const read = Array.from({ length: time }, (_, t) => {
      memory = tf.add(tf.mul(memory, decay), tf.matMul(stepOf(keys, t), stepOf(values, t), true));
      return tf.matMul(stepOf(queries, t), memory);
    });
    return tf.concat(read, 2) as tf.Tensor4D;
  });
}

/** [B, H, T, D] → [B, H, chunks, steps, D], zeros behind the end. */
export function chunkedTime(x: tf.Tensor4D, chunks: number, steps: number): tf.Tensor5D {
  const [batch, heads, time, width] = x.shape;
  const missing = chunks * steps - time;
  const padded =
    missing === 0
      ? x
      : tf.pad4d(x, [
          [0, 0],
          [0, 0],
          [0, missing],
          [0, 0],
        ]);
  return tf.reshape(padded, [batch, heads, chunks, steps, width]);
}

/** The way back, [B, H, chunks, steps, E] → [B, H, T, E], without what was added. */
export function wholeTime(y: tf.Tensor, time: number): tf.Tensor4D {
  const [batch, heads, chunks, steps, wide] = y.shape as [number, number, number, number, number];
  return tf.slice4d(tf.reshape(y, [batch, heads, chunks * steps, wide]), [0, 0, 0, 0], [-1, -1, time, -1]);
}

/** [B, H, T, D] → [B, H, 1, D] */
export function stepOf(x: tf.Tensor4D, t: number): tf.Tensor4D {
  return tf.slice4d(x, [0, 0, t, 0], [-1, -1, 1, -1]);
}

/** A constant [1, H, rows, columns] whose numbers follow from their place and their head's decay. */
function perHead(
  decays: readonly number[],
  rows: number,
  columns: number,
  value: (row: number, column: number, decay: number) => number,
): tf.Tensor4D {
  const numbers = new Float32Array(decays.length * rows * columns);
  let at = 0;
  for (const decay of decays)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) numbers[at++] = value(row, column, decay);
  return tf.tensor4d(numbers, [1, decays.length, rows, columns]);
}
