/**
 * The time mixing of RWKV-4 (Peng et al., arXiv 2305.13048), per channel: a mean of the values so far, with weights that
 * change by e^{±w} a step and a weight of its own for the newest,
 *
 *   y_t = (Σ_{s<t} e^{k_s ± (t−1−s) w} v_s + e^{u+k_t} v_t) / (Σ_{s<t} e^{k_s ± (t−1−s) w} + e^{u+k_t})
 *
 * with − in the canonical form, and + in the published code of RegBench: there old tokens grow.
 */
import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel, withGradient } from "./kernels.js";
import { linearRecurrence } from "./linear-recurrence.js";
import { expectShapes } from "./shapes.js";
import { withoutGradient } from "./without-gradient.js";

/** Stands for −∞ where there is no token yet. */
const NOTHING = -1e30;

/** Whether old tokens shrink by e^{−w} a step, or grow by e^w as in the published code. */
export type DecaySign = "published" | "canonical";

export interface TimeMixing {
  /** w > 0, [C] */
  readonly decay: tf.Tensor1D;
  /** u, [C] */
  readonly first: tf.Tensor1D;
  readonly sign: DecaySign;
}

/**
 * Weights are kept relative to a running maximum p of their exponents, which cancels in the
 * quotient, so nothing overflows and the newest maximum counts 1:
 *
 *   a_t = e^{p_{t−1} − ω − p_t} a_{t−1} + e^{κ_t − p_t} v_t,   b_t likewise with 1 for v,   p_t = max(p_{t−1} − ω, κ_t)
 *
 * Canonical: κ = k and ω = w. Published: all weights of a row share the factor e^{(t−1) w}, without which κ_t = k_t − t w
 * and ω = 0. (With growing exponents instead, sums of up to w T would eat the digits of k.)
 *
 * @param keys and values [B, T, C]
 * @returns [B, T, C]
 */
export function weightedMean(keys: tf.Tensor3D, values: tf.Tensor3D, mixing: TimeMixing): tf.Tensor3D {
  const { decay, first, sign } = mixing;
  expectShapes("weightedMean", {
    keys: [keys, ["B", "T", "C"]],
    values: [values, ["B", "T", "C"]],
    decay: [decay, ["C"]],
    first: [first, ["C"]],
  });
  if (!hasKernel("WeightedMean")) return asRecurrence(keys, values, mixing);
  const attributes = { growing: sign === "published" };
  const given = [keys, values, decay, first];
  return withGradient<tf.Tensor3D>(
    given,
    (save) => {
      save(given);
      return runKernel("WeightedMean", { keys, values, decay, first }, attributes)[0] as tf.Tensor3D;
    },
    (dy, [keys, values, decay, first]) =>
      runKernel("WeightedMeanGrad", { keys: keys!, values: values!, decay: decay!, first: first!, dy }, attributes),
  );
}

/** By the linear recurrences of numerators and denominators. */
function asRecurrence(keys: tf.Tensor3D, values: tf.Tensor3D, { decay, first, sign }: TimeMixing): tf.Tensor3D {
  return tf.tidy(() => {
    const time = keys.shape[1];
    const canonical = sign === "canonical";
    const exponents = canonical
      ? keys
      : tf.sub<tf.Tensor3D>(keys, tf.mul(tf.range(0, time).reshape([1, time, 1]), decay));
    const maximum = withoutGradient(() => runningMaximum(exponents, canonical ? decay : undefined)); // p
    const before = withoutGradient(() => delayed(maximum, NOTHING)); // p_{t−1}
    const drop = tf.sub(before, maximum);
    const kept = tf.exp(canonical ? tf.sub<tf.Tensor3D>(drop, decay) : (drop as tf.Tensor3D));
    const written = tf.exp(tf.sub<tf.Tensor3D>(exponents, maximum));
    const numerators = delayed(linearRecurrence(kept, tf.mul(written, values)), 0);
    const denominators = delayed(linearRecurrence(kept, written), 0);
    // The newest token joins under its own weight, relative to the larger of both exponents.
    const own = tf.add<tf.Tensor3D>(exponents, canonical ? first : tf.add(first, decay));
    const largest = withoutGradient(() => tf.maximum(before, own));
    const old = withoutGradient(() => tf.exp(tf.sub(before, largest)));
    const fresh = tf.exp(tf.sub(own, largest));
    return tf.div<tf.Tensor3D>(
      tf.add(tf.mul(old, numerators), tf.mul(fresh, values)),
      tf.add(tf.mul(old, denominators), fresh),
    );
  });
}

/** p_t = max_{s≤t} (κ_s − (t−s) ω), by doubling the reach: [B, T, C]. */
function runningMaximum(exponents: tf.Tensor3D, decay?: tf.Tensor1D): tf.Tensor3D {
  let maximum = exponents;
  for (let reach = 1; reach < exponents.shape[1]; reach *= 2) {
    const earlier = delayed(maximum, NOTHING, reach);
    maximum = tf.maximum(maximum, decay ? tf.sub<tf.Tensor3D>(earlier, tf.mul(decay, reach)) : earlier);
  }
  return maximum;
}

/** The same some steps later, `filling` at first: [B, T, C]. */
function delayed(x: tf.Tensor3D, filling: number, steps = 1): tf.Tensor3D {
  const earlier = tf.slice3d(x, [0, 0, 0], [-1, x.shape[1] - steps, -1]);
  return tf.pad3d(
    earlier,
    [
      [0, 0],
      [steps, 0],
      [0, 0],
    ],
    filling,
  );
}

/** The definition: all exponents of a row, their softmax, and the mean. */
export function weightedMeanPlain(
  keys: tf.Tensor3D,
  values: tf.Tensor3D,
  { decay, first, sign }: TimeMixing,
): tf.Tensor3D {
  return tf.tidy(() => {
    const [batch, time, width] = keys.shape;
    const rate = sign === "canonical" ? tf.neg(decay) : decay;
    const rows = Array.from({ length: time }, (_, t) => {
      const age = tf.range(0, t).reverse().reshape([1, t, 1]); // t − 1 − s
      const old = tf.add(tf.slice3d(keys, [0, 0, 0], [-1, t, -1]), tf.mul(age, rate));
      const own = tf.add(tf.slice3d(keys, [0, t, 0], [-1, 1, -1]), first);
      const exponents = tf.transpose(t === 0 ? own : tf.concat([old, own], 1), [0, 2, 1]);
      const seen = tf.transpose(tf.slice3d(values, [0, 0, 0], [-1, t + 1, -1]), [0, 2, 1]);
      return tf.reshape(tf.sum(tf.mul(tf.softmax(exponents), seen), 2), [batch, 1, width]);
    });
    return tf.concat(rows, 1) as tf.Tensor3D;
  });
}
