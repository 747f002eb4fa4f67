import { kernel } from "../../kernel.js";
import { rowsAndColumns } from "./attributes.js";

export const layerNorm = kernel<"x" | "weight" | "bias", { epsilon: number }>(
  "LayerNorm",
  ({ inputs: { x, weight, bias }, attrs: { epsilon }, backend }) => {
    const [rows, columns] = rowsAndColumns(x);
    const y = backend.output(x.shape);
    const [mean, inverseDeviation] = [backend.output([rows]), backend.output([rows])];
    backend.run("layerNorm", x, weight, bias, y, mean, inverseDeviation, rows, columns, epsilon);
    return [y, mean, inverseDeviation];
  },
);

export const layerNormGrad = kernel<"x" | "weight" | "mean" | "inverseDeviation" | "dy", { bias: boolean }>(
  "LayerNormGrad",
  ({ inputs: { x, weight, mean, inverseDeviation, dy }, attrs: { bias }, backend }) => {
    const [dx, dWeight] = [backend.output(x.shape), backend.output(weight.shape)];
    const dBias = bias ? backend.output(weight.shape) : undefined;
    backend.run("layerNormGrad", x, weight, mean, inverseDeviation, dy, dx, dWeight, dBias, ...rowsAndColumns(x));
    return dBias === undefined ? [dx, dWeight] : [dx, dWeight, dBias];
  },
);
