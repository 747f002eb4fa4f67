/**
 * Reading the persistent memory: learned slots (K_p, V_p) per head, used as they are (MODELS 1.5):
 *
 *   out_t = Σ_p softmax_p(k_t·K_p) V_p.
 */
import * as tf from "@tensorflow/tfjs";
import { type Dropout, dropoutAttributes, dropoutMask, drops } from "./dropout.js";
import { hasKernel, runKernel, withGradient } from "./kernels.js";
import { expectHeads, expectShapes } from "./shapes.js";

export interface PersistentReadOptions {
  /** On the weights after the softmax. */
  dropout?: Dropout | undefined;
}

/**
 * @param keys [B, T, C]
 * @param slotKeys [1, H, P, D]
 * @param slotValues [1, H, P, D]
 * @returns [B, T, C]
 */
export function persistentRead(
  keys: tf.Tensor3D,
  slotKeys: tf.Tensor4D,
  slotValues: tf.Tensor4D,
  options: PersistentReadOptions = {},
): tf.Tensor3D {
  const { C, H, D } = expectShapes("persistentRead", {
    keys: [keys, ["B", "T", "C"]],
    slotKeys: [slotKeys, [1, "H", "P", "D"]],
    slotValues: [slotValues, [1, "H", "P", "D"]],
  });
  expectHeads("persistentRead", C, H);
  if (C !== H * D) throw new Error(`persistentRead: expected slots of width ${C / H}, found ${D}`);
  if (!hasKernel("PersistentRead")) return persistentReadPlain(keys, slotKeys, slotValues, options);
  const attributes = dropoutAttributes(options.dropout);
  return withGradient<tf.Tensor3D>(
    [keys, slotKeys, slotValues],
    (save) => {
      const [out, logSumExp] = runKernel("PersistentRead", { keys, slotKeys, slotValues }, attributes);
      save([keys, slotKeys, slotValues, out, logSumExp]);
      return out as tf.Tensor3D;
    },
    (dy, [keys, slotKeys, slotValues, out, logSumExp]) =>
      runKernel(
        "PersistentReadGrad",
        { keys: keys!, slotKeys: slotKeys!, slotValues: slotValues!, out: out!, logSumExp: logSumExp!, dy },
        attributes,
      ),
  );
}

export function persistentReadPlain(
  keys: tf.Tensor3D,
  slotKeys: tf.Tensor4D,
  slotValues: tf.Tensor4D,
  { dropout }: PersistentReadOptions = {},
): tf.Tensor3D {
  return tf.tidy(() => {
    const [batch, time, width] = keys.shape;
    const [, heads, slots, depth] = slotKeys.shape;
    // All tokens of a head in one matrix, [H, B·T, D]: no copies of the slots.
    const queries = keys.reshape([batch, time, heads, depth]).transpose([2, 0, 1, 3]);
    const slotsOf = (all: tf.Tensor4D) => all.reshape<tf.Tensor3D>([heads, slots, depth]);
    const scores = tf.matMul(
      queries.reshape<tf.Tensor3D>([heads, batch * time, depth]),
      slotsOf(slotKeys),
      false,
      true,
    );
    const weights = scores.softmax(-1); // [H, B·T, P]
    const kept = drops(dropout) ? weights.mul(readMask(batch, heads, time, slots, dropout)) : weights;
    return tf
      .matMul(kept as tf.Tensor3D, slotsOf(slotValues))
      .reshape([heads, batch, time, depth])
      .transpose([1, 2, 0, 3])
      .reshape([batch, time, width]);
  });
}

/** The mask, whose rows are (b·H + h)·T + t, as [H, B·T, P]. */
function readMask(batch: number, heads: number, time: number, slots: number, dropout: Dropout): tf.Tensor3D {
  return dropoutMask(batch * heads * time, slots, dropout)
    .reshape([batch, heads, time, slots])
    .transpose([1, 0, 2, 3])
    .reshape([heads, batch * time, slots]);
}
