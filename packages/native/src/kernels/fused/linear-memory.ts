import type { TensorInfo } from "@tensorflow/tfjs";
import { kernel } from "../../kernel.js";

/** batch, heads, time, width of keys, width of values */
const sizesOf = (keys: TensorInfo, values: TensorInfo) => [...keys.shape, values.shape[3]!];

export const decayingRead = kernel<"queries" | "keys" | "values" | "decays">("DecayingRead", ({ inputs, backend }) => {
  const { queries, keys, values, decays } = inputs;
  const y = backend.output(values.shape);
  backend.run("decayingRead", queries, keys, values, decays, y, ...sizesOf(keys, values));
  return [y];
});

export const decayingReadGrad = kernel<"queries" | "keys" | "values" | "decays" | "dy">(
  "DecayingReadGrad",
  ({ inputs, backend }) => {
    const { queries, keys, values, decays, dy } = inputs;
    const gradients = [queries, keys, values].map(({ shape }) => backend.output(shape));
    backend.run("decayingReadGrad", queries, keys, values, decays, dy, ...gradients, ...sizesOf(keys, values));
    return gradients;
  },
);

export const gatedRead = kernel<"queries" | "keys" | "values" | "logGates">("GatedRead", ({ inputs, backend }) => {
  const { queries, keys, values, logGates } = inputs;
  const y = backend.output(values.shape);
  backend.run("gatedRead", queries, keys, values, logGates, y, ...sizesOf(keys, values));
  return [y];
});

export const gatedReadGrad = kernel<"queries" | "keys" | "values" | "logGates" | "dy">(
  "GatedReadGrad",
  ({ inputs, backend }) => {
    const { queries, keys, values, logGates, dy } = inputs;
    const gradients = [queries, keys, values, logGates].map(({ shape }) => backend.output(shape));
    backend.run("gatedReadGrad", queries, keys, values, logGates, dy, ...gradients, ...sizesOf(keys, values));
    return gradients;
  },
);
