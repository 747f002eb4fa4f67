import type { WeightFormat } from "@mm/ops";
import { kernel } from "../../kernel.js";
import { rowsAndColumns } from "./attributes.js";

/** Missing where a format has no factors, or a map no bias. */
export const packedLinear = kernel<"x" | "words" | "factors" | "bias", { out: number; format: WeightFormat }>(
  "PackedLinear",
  ({ inputs: { x, words, factors, bias }, attrs: { out, format }, backend }) => {
    const [rows, width] = rowsAndColumns(x);
    const y = backend.output([...x.shape.slice(0, -1), out]);
    backend.run("packedLinear", x, words, factors, bias, y, rows, width, out, format === "int8");
    return [y];
  },
);

export const packedPersistentRead = kernel<
  "keys" | "slotKeys" | "keyFactors" | "slotValues" | "valueFactors",
  { heads: number; slots: number; format: WeightFormat }
>("PackedPersistentRead", ({ inputs, attrs: { heads, slots, format }, backend }) => {
  const { keys, slotKeys, keyFactors, slotValues, valueFactors } = inputs;
  const [batch, time, width] = keys.shape as [number, number, number];
  const out = backend.output(keys.shape);
  const logSumExp = backend.output([batch, heads, time]);
  const tensors = [keys, slotKeys, keyFactors, slotValues, valueFactors, out, logSumExp];
  backend.run("packedPersistentRead", ...tensors, batch, time, heads, slots, width / heads, format === "int8");
  return [out, logSumExp];
});
