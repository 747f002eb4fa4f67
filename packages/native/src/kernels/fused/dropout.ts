import type { DropoutAttributes } from "@mm/ops";
import { kernel } from "../../kernel.js";
import { dropoutArguments, rowsAndColumns } from "./attributes.js";

export const dropout = kernel<"x", DropoutAttributes>("Dropout", ({ inputs: { x }, attrs, backend }) => {
  const y = backend.output(x.shape);
  backend.run("dropoutAdd", null, x, y, ...rowsAndColumns(x), ...dropoutArguments(attrs));
  return [y];
});

export const dropoutAdd = kernel<"residual" | "x", DropoutAttributes>(
  "DropoutAdd",
  ({ inputs: { residual, x }, attrs, backend }) => {
    const y = backend.output(x.shape);
    backend.run("dropoutAdd", residual, x, y, ...rowsAndColumns(x), ...dropoutArguments(attrs));
    return [y];
  },
);
