import { kernel } from "../../kernel.js";
import { rowsAndColumns, usesBf16 } from "./attributes.js";

export const linear = kernel<"x" | "weight" | "bias">("Linear", ({ inputs: { x, weight, bias }, backend }) => {
  const [rows, width] = rowsAndColumns(x);
  const out = weight.shape[0]!;
  const y = backend.output([...x.shape.slice(0, -1), out]);
  backend.run("linear", x, weight, bias, y, rows, width, out, usesBf16(backend));
  return [y];
});

export const linearGrad = kernel<"x" | "weight" | "dy", { bias: boolean }>(
  "LinearGrad",
  ({ inputs: { x, weight, dy }, attrs: { bias }, backend }) => {
    const [rows, width] = rowsAndColumns(x);
    const out = weight.shape[0]!;
    const [dx, dWeight] = [backend.output(x.shape), backend.output(weight.shape)];
    const dBias = bias ? backend.output([out]) : undefined;
    backend.run("linearGrad", x, weight, dy, dx, dWeight, dBias, rows, width, out, usesBf16(backend));
    return dBias === undefined ? [dx, dWeight] : [dx, dWeight, dBias];
  },
);
