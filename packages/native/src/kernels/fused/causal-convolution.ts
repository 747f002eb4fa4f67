import type { TensorInfo } from "@tensorflow/tfjs";
import { kernel } from "../../kernel.js";

/** batch, time, channels, taps */
const shapeOf = (u: TensorInfo, taps: TensorInfo): number[] => [...u.shape, taps.shape[1]!];

export const causalConvolution = kernel<"u" | "kernel">(
  "CausalConvolution",
  ({ inputs: { u, kernel: taps }, backend }) => {
    const y = backend.output(u.shape);
    backend.run("causalConvolution", u, taps, y, ...shapeOf(u, taps));
    return [y];
  },
);

export const causalConvolutionGrad = kernel<"u" | "kernel" | "dy">(
  "CausalConvolutionGrad",
  ({ inputs: { u, kernel: taps, dy }, backend }) => {
    const [du, dKernel] = [backend.output(u.shape), backend.output(taps.shape)];
    backend.run("causalConvolutionGrad", u, taps, dy, du, dKernel, ...shapeOf(u, taps));
    return [du, dKernel];
  },
);
