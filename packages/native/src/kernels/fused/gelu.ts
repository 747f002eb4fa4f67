import { kernel, sizeOf } from "../../kernel.js";

export const gelu = kernel<"x">("Gelu", ({ inputs: { x }, backend }) => {
  const y = backend.output(x.shape);
  backend.run("gelu", x, y, sizeOf(x));
  return [y];
});

export const geluGrad = kernel<"x" | "dy">("GeluGrad", ({ inputs: { x, dy }, backend }) => {
  const dx = backend.output(x.shape);
  backend.run("geluGrad", x, dy, dx, sizeOf(x));
  return [dx];
});
