import type { KernelContract } from "@mm/ops";
import { kernel } from "../../kernel.js";
import { copyView, stridesOf } from "../stock/layout.js";

export const writeRows = kernel<"store" | "rows", KernelContract["WriteRows"]["attrs"]>(
  "WriteRows",
  ({ inputs: { store, rows }, attrs: { at }, backend }) => {
    const place = { tensor: store, offset: at * rows.shape[2]!, strides: stridesOf(store.shape) };
    copyView(backend, rows.shape, { tensor: rows, strides: stridesOf(rows.shape) }, place);
    return [];
  },
);
