import { kernel } from "../../kernel.js";
import { headShape } from "./attributes.js";

export const leakyKeys = kernel<"u" | "rate" | "scale">("LeakyKeys", ({ inputs: { u, rate, scale }, backend }) => {
  const [batch, time, heads, width] = headShape(u, rate);
  const [keys, norm] = [backend.output(u.shape), backend.output([batch, time, heads])];
  backend.run("leakyKeys", u, rate, scale, keys, norm, batch, time, heads, width);
  return [keys, norm];
});

export const advanceKeys = kernel<"u" | "rate" | "scale" | "average">(
  "AdvanceKeys",
  ({ inputs: { u, rate, scale, average }, backend }) => {
    const [batch, , width] = u.shape as [number, number, number];
    const [keys, after] = [backend.output(u.shape), backend.output([batch, width])];
    backend.run("advanceKeys", u, rate, scale, average, keys, after, ...headShape(u, rate));
    return [keys, after];
  },
);

export const leakyKeysGrad = kernel<"u" | "rate" | "scale" | "keys" | "norm" | "dy">(
  "LeakyKeysGrad",
  ({ inputs: { u, rate, scale, norm, dy }, backend }) => {
    const [du, dRate, dScale] = [u, rate, scale].map((tensor) => backend.output(tensor.shape));
    backend.run("leakyKeysGrad", u, rate, scale, norm, dy, du, dRate, dScale, ...headShape(u, rate));
    return [du!, dRate!, dScale!];
  },
);
