import { kernel } from "../../kernel.js";
import { headShape } from "./attributes.js";

export const leakyAverage = kernel<"u" | "rate">("LeakyAverage", ({ inputs: { u, rate }, backend }) => {
  const average = backend.output(u.shape);
  backend.run("leakyAverage", u, rate, average, ...headShape(u, rate));
  return [average];
});

export const leakyAverageGrad = kernel<"u" | "rate" | "average" | "dy">(
  "LeakyAverageGrad",
  ({ inputs: { u, rate, average, dy }, backend }) => {
    const [du, dRate] = [backend.output(u.shape), backend.output(rate.shape)];
    backend.run("leakyAverageGrad", u, rate, average, dy, du, dRate, ...headShape(u, rate));
    return [du, dRate];
  },
);
