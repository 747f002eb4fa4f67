import type { DropoutAttributes } from "@mm/ops";
import type { TensorInfo } from "@tensorflow/tfjs";
import { kernel } from "../../kernel.js";
import { dropoutArguments, usesBf16 } from "./attributes.js";

/** batch, time, heads, slots, width of a head, dropout. */
function readArguments(keys: TensorInfo, slotKeys: TensorInfo, attributes: DropoutAttributes): number[] {
  const [batch, time] = keys.shape as [number, number, number];
  const [, heads, slots, width] = slotKeys.shape as [number, number, number, number];
  return [batch, time, heads, slots, width, ...dropoutArguments(attributes)];
}

export const persistentRead = kernel<"keys" | "slotKeys" | "slotValues", DropoutAttributes>(
  "PersistentRead",
  ({ inputs: { keys, slotKeys, slotValues }, attrs, backend }) => {
    const out = backend.output(keys.shape);
    const logSumExp = backend.output([keys.shape[0]!, slotKeys.shape[1]!, keys.shape[1]!]);
    const described = readArguments(keys, slotKeys, attrs);
    backend.run("persistentRead", keys, slotKeys, slotValues, out, logSumExp, ...described, usesBf16(backend));
    return [out, logSumExp];
  },
);

export const persistentReadGrad = kernel<
  "keys" | "slotKeys" | "slotValues" | "out" | "logSumExp" | "dy",
  DropoutAttributes
>("PersistentReadGrad", ({ inputs: { keys, slotKeys, slotValues, out, logSumExp, dy }, attrs, backend }) => {
  const gradients = [keys, slotKeys, slotValues].map((tensor) => backend.output(tensor.shape));
  const described = readArguments(keys, slotKeys, attrs);
  const tensors = [keys, slotKeys, slotValues, out, logSumExp, dy, ...gradients];
  backend.run("persistentReadGrad", ...tensors, ...described, usesBf16(backend));
  return gradients;
});
