/** The read of `persistent-read.ts` from packed slots: out_t = Σ_p softmax_p(k_t·K_p) V_p, K and V as `unpackWeights` gives them. */
import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel } from "./kernels.js";
import { type PackedWeights, unpackWeights } from "./packed-weights.js";
import { persistentRead } from "./persistent-read.js";

/**
 * No gradient.
 *
 * @param keys [B, T, C]
 * @param slotKeys packed [H·P, D], C = H·D
 * @param slotValues packed [H·P, D], in the same format
 * @returns [B, T, C]
 */
export function packedPersistentRead(
  keys: tf.Tensor3D,
  slotKeys: PackedWeights,
  slotValues: PackedWeights,
  heads: number,
): tf.Tensor3D {
  const { rows, columns, format } = slotKeys;
  const fits =
    slotValues.rows === rows && slotValues.columns === columns && slotValues.format === format && rows % heads === 0;
  if (!fits || keys.shape[2] !== heads * columns)
    throw new Error(
      `packedPersistentRead: expected slots of one shape and format for ${heads} heads of width ${keys.shape[2] / heads}, found ${rows} × ${columns} ${format} and ${slotValues.rows} × ${slotValues.columns} ${slotValues.format}`,
    );
  if (!hasKernel("PackedPersistentRead")) return packedPersistentReadPlain(keys, slotKeys, slotValues, heads);
  return runKernel(
    "PackedPersistentRead",
    {
      keys,
      slotKeys: slotKeys.words,
      keyFactors: slotKeys.factors,
      slotValues: slotValues.words,
      valueFactors: slotValues.factors,
    },
    { heads, slots: rows / heads, format },
  )[0] as tf.Tensor3D;
}

export function packedPersistentReadPlain(
  keys: tf.Tensor3D,
  slotKeys: PackedWeights,
  slotValues: PackedWeights,
  heads: number,
): tf.Tensor3D {
  return tf.tidy(() => {
    const slots = (packed: PackedWeights) =>
      tf.reshape(unpackWeights(packed), [1, heads, packed.rows / heads, packed.columns]) as tf.Tensor4D;
    return persistentRead(keys, slots(slotKeys), slots(slotValues));
  });
}
