import { kernel } from "../../kernel.js";
import { headShape } from "./attributes.js";

export const peekValues = kernel<"w" | "mix" | "scale", { shift: number }>(
  "PeekValues",
  ({ inputs: { w, mix, scale }, attrs: { shift }, backend }) => {
    const [batch, time, heads, width] = headShape(w, mix);
    const [values, norm] = [backend.output(w.shape), backend.output([batch, time, heads])];
    backend.run("peekValues", w, mix, scale, values, norm, shift, batch, time, heads, width);
    return [values, norm];
  },
);

export const peekValuesGrad = kernel<"w" | "mix" | "scale" | "values" | "norm" | "dy", { shift: number }>(
  "PeekValuesGrad",
  ({ inputs: { w, mix, scale, norm, dy }, attrs: { shift }, backend }) => {
    const [dw, dMix, dScale] = [w, mix, scale].map((tensor) => backend.output(tensor.shape));
    backend.run("peekValuesGrad", w, mix, scale, norm, dy, dw, dMix, dScale, shift, ...headShape(w, mix));
    return [dw!, dMix!, dScale!];
  },
);
