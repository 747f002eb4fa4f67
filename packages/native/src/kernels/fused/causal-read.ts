import type { CausalReadAttributes } from "@mm/ops";
import type { TensorInfo } from "@tensorflow/tfjs";
import { kernel } from "../../kernel.js";
import { dropoutArguments, usesBf16 } from "./attributes.js";

/** batch, heads, queries, keys, width of a head, window, scale, dropout. */
function readArguments(queries: TensorInfo, keys: TensorInfo, attributes: CausalReadAttributes): number[] {
  const [batch, queryTime, columns] = queries.shape as [number, number, number];
  const { heads, nearest, farthest, offset, scale } = attributes;
  const shape = [batch, heads, queryTime, keys.shape[1]!, columns / heads];
  return [...shape, nearest, farthest, offset, scale, ...dropoutArguments(attributes)];
}

export const causalRead = kernel<"queries" | "keys" | "values", CausalReadAttributes>(
  "CausalRead",
  ({ inputs: { queries, keys, values }, attrs, backend }) => {
    const out = backend.output(queries.shape);
    const logSumExp = backend.output([queries.shape[0]!, attrs.heads, queries.shape[1]!]);
    const described = readArguments(queries, keys, attrs);
    backend.run("causalRead", queries, keys, values, out, logSumExp, ...described, usesBf16(backend));
    return [out, logSumExp];
  },
);

export const causalReadGrad = kernel<
  "queries" | "keys" | "values" | "out" | "logSumExp" | "dy",
  CausalReadAttributes & { tied: boolean }
>("CausalReadGrad", ({ inputs: { queries, keys, values, out, logSumExp, dy }, attrs, backend }) => {
  const dQueries = attrs.tied ? undefined : backend.output(queries.shape);
  const dKeys = backend.output(keys.shape);
  const dValues = backend.output(values.shape);
  const described = readArguments(queries, keys, attrs);
  const tensors = [queries, keys, values, out, logSumExp, dy, dQueries, dKeys, dValues];
  backend.run("causalReadGrad", ...tensors, ...described, usesBf16(backend));
  return dQueries === undefined ? [dKeys, dValues] : [dQueries, dKeys, dValues];
});
