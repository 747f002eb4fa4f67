import { kernel } from "../../kernel.js";

type Inputs = "x" | "delta" | "dynamics" | "input" | "output";

export const selectiveScan = kernel<Inputs>("SelectiveScan", ({ inputs, backend }) => {
  const { x, delta, dynamics, input, output } = inputs;
  const y = backend.output(x.shape);
  backend.run("selectiveScan", x, delta, dynamics, input, output, y, ...x.shape, dynamics.shape[1]!);
  return [y];
});

export const selectiveScanGrad = kernel<Inputs | "dy">("SelectiveScanGrad", ({ inputs, backend }) => {
  const { x, delta, dynamics, input, output, dy } = inputs;
  const gradients = [x, delta, dynamics, input, output].map(({ shape }) => backend.output(shape));
  const sizes = [...x.shape, dynamics.shape[1]!];
  backend.run("selectiveScanGrad", x, delta, dynamics, input, output, dy, ...gradients, ...sizes);
  return gradients;
});
