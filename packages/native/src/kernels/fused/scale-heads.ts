import type { TensorInfo } from "@tensorflow/tfjs";
import { kernel, sizeOf } from "../../kernel.js";
import { rowsAndColumns } from "./attributes.js";

/** rows, heads, width of a head */
function shapeOf(x: TensorInfo, scale: TensorInfo): number[] {
  const [rows, columns] = rowsAndColumns(x);
  return [rows, sizeOf(scale), columns / sizeOf(scale)];
}

export const scaleHeads = kernel<"x" | "scale">("ScaleHeads", ({ inputs: { x, scale }, backend }) => {
  const y = backend.output(x.shape);
  backend.run("scaleHeads", x, scale, y, ...shapeOf(x, scale));
  return [y];
});

export const scaleHeadsGrad = kernel<"x" | "scale" | "dy">(
  "ScaleHeadsGrad",
  ({ inputs: { x, scale, dy }, backend }) => {
    const [dx, dScale] = [backend.output(x.shape), backend.output(scale.shape)];
    backend.run("scaleHeadsGrad", x, scale, dy, dx, dScale, ...shapeOf(x, scale));
    return [dx, dScale];
  },
);
