/**
 * Reading an associative memory that fills up along the sequence (MODELS 1.4; also ordinary causal attention):
 *
 *   out_i = Σ_j softmax_j(scale · q_i·k_j) v_j   over   i − farthest <= j <= i − nearest,
 *
 * where query i stands at position offset + i. A query with nothing to read gives exactly zero. Values that nobody may
 * read (the last ones) never matter, even when they are NaN.
 */
import * as tf from "@tensorflow/tfjs";
import { type Dropout, dropoutAttributes, dropoutMask, drops } from "./dropout.js";
import { joinHeads, splitHeads } from "./heads.js";
import { type CausalReadAttributes, hasKernel, runKernel, withGradient } from "./kernels.js";
import { expectHeads, expectShapes } from "./shapes.js";

export interface CausalReadOptions {
  heads: number;
  /** Distance of the nearest readable key: 1 excludes the diagonal, 0 includes it. */
  nearest: number;
  /** Distance of the farthest readable key; none given: no bound. */
  farthest?: number;
  /** Factor of the scores; 1 when not given. */
  scale?: number;
  /** On the weights after the softmax. */
  dropout?: Dropout | undefined;
  /** Position of the first query among the keys; 0 when not given. */
  offset?: number;
}

/**
 * @param queries [B, Tq, C]
 * @param keys [B, Tk, C]
 * @param values [B, Tk, C]
 * @returns [B, Tq, C]
 */
export function causalRead(
  queries: tf.Tensor3D,
  keys: tf.Tensor3D,
  values: tf.Tensor3D,
  options: CausalReadOptions,
): tf.Tensor3D {
  const { C } = expectShapes("causalRead", {
    queries: [queries, ["B", "Tq", "C"]],
    keys: [keys, ["B", "Tk", "C"]],
    values: [values, ["B", "Tk", "C"]],
  });
  expectHeads("causalRead", C, options.heads);
  if (!hasKernel("CausalRead")) return causalReadPlain(queries, keys, values, options);
  const attributes: CausalReadAttributes = {
    heads: options.heads,
    nearest: options.nearest,
    farthest: options.farthest ?? -1,
    offset: options.offset ?? 0,
    scale: options.scale ?? 1,
    ...dropoutAttributes(options.dropout),
  };
  const tied = queries === keys;
  return withGradient<tf.Tensor3D>(
    tied ? [keys, values] : [queries, keys, values],
    (save) => {
      const [out, logSumExp] = runKernel("CausalRead", { queries, keys, values }, attributes);
      save([queries, keys, values, out, logSumExp]);
      return out as tf.Tensor3D;
    },
    (dy, [queries, keys, values, out, logSumExp]) =>
      runKernel(
        "CausalReadGrad",
        { queries: queries!, keys: keys!, values: values!, out: out!, logSumExp: logSumExp!, dy },
        { ...attributes, tied },
      ),
  );
}

/** The contextual memory's read: the queries are the keys, and a value that looks `shift` ahead is readable only then. */
export function contextualRead(
  keys: tf.Tensor3D,
  values: tf.Tensor3D,
  options: { heads: number; shift: number; dropout?: Dropout | undefined },
): tf.Tensor3D {
  return causalRead(keys, keys, values, { heads: options.heads, nearest: options.shift, dropout: options.dropout });
}

export function causalReadPlain(
  queries: tf.Tensor3D,
  keys: tf.Tensor3D,
  values: tf.Tensor3D,
  { heads, nearest, farthest = Number.POSITIVE_INFINITY, scale = 1, dropout, offset = 0 }: CausalReadOptions,
): tf.Tensor3D {
  return tf.tidy(() => {
    const [batch, queryTime, width] = queries.shape;
    // The keys that any query reads at all; the others may hold NaN, which 0 · NaN would spread.
    const first = Math.max(0, offset - farthest);
    const last = Math.min(keys.shape[1], offset + queryTime - nearest);
    if (last <= first) return nothingRead(queries, keys, values);
    const q = splitHeads(queries, heads);
    const k = splitHeads(keys.slice([0, first, 0], [batch, last - first, width]), heads);
    const v = splitHeads(values.slice([0, first, 0], [batch, last - first, width]), heads);

    const positions = tf.range(offset, offset + queryTime).expandDims(1);
    const distance = positions.sub(tf.range(first, last).expandDims(0)); // [Tq, Tk], how far back the key lies
    const readable = distance.greaterEqual(nearest).logicalAnd(distance.lessEqual(Math.min(farthest, 2 ** 30)));
    const something = readable.any(1, true).toFloat(); // [Tq, 1]

    const scores = tf.matMul(q, k, false, true).mul(scale); // [B, H, Tq, Tk]
    const weights = tf.where(readable, scores, -1e30).softmax(-1).mul(something);
    const kept = drops(dropout)
      ? weights.mul(readMask(batch * heads * queryTime, keys.shape[1], dropout, first, last).reshape(weights.shape))
      : weights;
    return joinHeads(tf.matMul(kept, v) as tf.Tensor4D);
  });
}

/** The dropout mask of the read weights, for the columns first … last − 1. */
function readMask(rows: number, columns: number, dropout: Dropout, first: number, last: number): tf.Tensor2D {
  return dropoutMask(rows, columns, dropout).slice([0, first], [rows, last - first]);
}

/** Zeros, with zero gradients. */
function nothingRead(queries: tf.Tensor3D, keys: tf.Tensor3D, values: tf.Tensor3D): tf.Tensor3D {
  const inputs = [queries, keys, values];
  return withGradient<tf.Tensor3D>(
    inputs,
    () => tf.zeros(queries.shape),
    () => inputs.map((input) => tf.zeros(input.shape)),
  );
}
