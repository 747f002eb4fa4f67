/**
 * Reading of a linear memory each of whose key features forgets at its own rate, given by the input:
 *
 *   S_t = diag(α_t) S_{t−1} + k_t v_tᵀ,   y_t = S_tᵀ q_t,   0 < α ≤ 1
 */
import * as tf from "@tensorflow/tfjs";
import { chunkedTime, stepOf, wholeTime } from "./decaying-read.js";
import { hasKernel, runKernel, withGradient } from "./kernels.js";
import { linearRecurrence } from "./linear-recurrence.js";
import { expectShapes } from "./shapes.js";
import { withoutGradient } from "./without-gradient.js";

/** The lowest log α that chunks allow: at a lower one, their exponents would overflow. */
export const LOWEST_LOG_GATE = -3;

/** Steps per chunk: within it weights grow to e^{3·24} = 2e31 before the mask takes them away, still a float32. */
const CHUNK = 24;

/**
 * @param queries and keys [B, H, T, D]
 * @param values [B, H, T, E]
 * @param logGates log α, [B, H, T, D], from −3 to 0
 * @param longest steps per chunk where the backend has no kernel of its own
 * @returns [B, H, T, E]
 */
export function gatedRead(
  queries: tf.Tensor4D,
  keys: tf.Tensor4D,
  values: tf.Tensor4D,
  logGates: tf.Tensor4D,
  longest = CHUNK,
): tf.Tensor4D {
  expectShapes("gatedRead", {
    queries: [queries, ["B", "H", "T", "D"]],
    keys: [keys, ["B", "H", "T", "D"]],
    values: [values, ["B", "H", "T", "E"]],
    logGates: [logGates, ["B", "H", "T", "D"]],
  });
  if (!hasKernel("GatedRead")) return readChunks(queries, keys, values, logGates, longest);
  const given = [queries, keys, values, logGates];
  return withGradient<tf.Tensor4D>(
    given,
    (save) => {
      save(given);
      return runKernel("GatedRead", { queries, keys, values, logGates }, {})[0] as tf.Tensor4D;
    },
    (dy, [queries, keys, values, logGates]) =>
      runKernel("GatedReadGrad", { queries: queries!, keys: keys!, values: values!, logGates: logGates!, dy }, {}),
  );
}

/**
 * The chunked form, all chunks at once. With G_t = Σ log α from the start of the chunk to t, included:
 *
 *   y_t = S_startᵀ (q_t e^{G_t}) + Σ_{s≤t in the chunk} (Σ_i q_ti k_si e^{G_ti − G_si}) v_s
 *   S_next = diag(e^{G_end}) S_start + Σ_s (k_s e^{G_end − G_s}) v_sᵀ
 *
 * The exponent of a difference is split between q and k around the middle of the chunk, so that the sum over i is a
 * matrix product; each of its terms keeps its relative precision. The last line is a linear recurrence over chunks.
 */
function readChunks(
  queries: tf.Tensor4D,
  keys: tf.Tensor4D,
  values: tf.Tensor4D,
  logGates: tf.Tensor4D,
  longest: number,
): tf.Tensor4D {
  return tf.tidy(() => {
    const [batch, heads, time, wide] = values.shape;
    const width = keys.shape[3];
    const chunks = Math.ceil(time / longest);
    const steps = Math.ceil(time / chunks);
    const [q, k, v, a] = [queries, keys, values, logGates].map((x) => chunkedTime(x, chunks, steps)) as [
      tf.Tensor5D,
      tf.Tensor5D,
      tf.Tensor5D,
      tf.Tensor5D,
    ];
    const past = tf.linalg.bandPart(tf.ones([steps, steps]), -1, 0).reshape([1, 1, 1, steps, steps]); // 1 for s ≤ t
    const sums = tf.matMul(past, a); // G: [B, H, chunks, steps, D]
    const at = (step: number) => tf.slice(sums, [0, 0, 0, step, 0], [-1, -1, -1, 1, -1]);
    const fromMiddle = tf.sub(
      sums,
      withoutGradient(() => at(Math.floor(steps / 2))),
    );
    const products = tf.matMul(tf.mul(q, tf.exp(fromMiddle)), tf.mul(k, tf.exp(tf.neg(fromMiddle))), false, true);
    const inside = tf.matMul(tf.mul(products, past), v);
    if (chunks === 1) return wholeTime(inside, time);
    const end = at(steps - 1);
    const added = tf.matMul(tf.mul(k, tf.exp(tf.sub(end, sums))), v, true); // [B, H, chunks, D, E]
    const kept = tf.mul(tf.exp(end).reshape([batch, heads, chunks, width, 1]), tf.ones([wide]));
    const flat = (x: tf.Tensor) => x.reshape<tf.Tensor3D>([batch * heads, chunks, width * wide]);
    const after = linearRecurrence(flat(kept), flat(added)); // the memory after each chunk
    const found = tf.pad3d(tf.slice3d(after, [0, 0, 0], [-1, chunks - 1, -1]), [
      [0, 0],
      [1, 0],
      [0, 0],
    ]);
    const memories = found.reshape([batch, heads, chunks, width, wide]);
    return wholeTime(tf.add(inside, tf.matMul(tf.mul(q, tf.exp(sums)), memories)), time);
  });
}

/** The recurrent form, one step after another: the definition. */
export function gatedReadPlain(
  queries: tf.Tensor4D,
  keys: tf.Tensor4D,
  values: tf.Tensor4D,
  logGates: tf.Tensor4D,
): tf.Tensor4D {
  return tf.tidy(() => {
    const [batch, heads, time, width] = keys.shape;
    let memory: tf.Tensor = tf.zeros([batch, heads, width, values.shape[3]]);
    const read = Array.from({ length: time }, (_, t) => {
      const gate = tf.reshape(tf.exp(stepOf(logGates, t)), [batch, heads, width, 1]);
      memory = tf.add(tf.mul(memory, gate), tf.matMul(stepOf(keys, t), stepOf(values, t), true));
      return tf.matMul(stepOf(queries, t), memory);
    });
    return tf.concat(read, 2) as tf.Tensor4D;
  });
}
