import { kernel } from "../../kernel.js";

type Inputs = "keys" | "values" | "decay" | "first";

export const weightedMean = kernel<Inputs, { growing: boolean }>("WeightedMean", ({ inputs, attrs, backend }) => {
  const { keys, values, decay, first } = inputs;
  const y = backend.output(keys.shape);
  backend.run("weightedMean", keys, values, decay, first, y, ...keys.shape, attrs.growing);
  return [y];
});

export const weightedMeanGrad = kernel<Inputs | "dy", { growing: boolean }>(
  "WeightedMeanGrad",
  ({ inputs, attrs, backend }) => {
    const { keys, values, decay, first, dy } = inputs;
    const gradients = [keys, values, decay, first].map(({ shape }) => backend.output(shape));
    backend.run("weightedMeanGrad", keys, values, decay, first, dy, ...gradients, ...keys.shape, attrs.growing);
    return gradients;
  },
);
