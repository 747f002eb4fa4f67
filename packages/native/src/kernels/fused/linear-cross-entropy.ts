import type { TensorInfo } from "@tensorflow/tfjs";
import type { NativeBackend } from "../../backend.js";
import { kernel, sizeOf } from "../../kernel.js";
import { usesBf16 } from "./attributes.js";

interface LossAttributes {
  scale: number;
  ignore: number;
}

/** tokens, width, vocabulary, scale, ignored target, bf16 */
function lossArguments(x: TensorInfo, weight: TensorInfo, { scale, ignore }: LossAttributes, backend: NativeBackend) {
  return [x.shape[0]!, x.shape[1]!, weight.shape[0]!, scale, ignore, usesBf16(backend)];
}

export const linearCrossEntropy = kernel<"x" | "weight" | "targets", LossAttributes & { gradients: boolean }>(
  "LinearCrossEntropy",
  ({ inputs: { x, weight, targets }, attrs, backend }) => {
    const loss = backend.output([]);
    const gradients = attrs.gradients ? [backend.output(x.shape), backend.output(weight.shape)] : [];
    const described = lossArguments(x, weight, attrs, backend);
    backend.run("linearCrossEntropy", x, weight, targets, loss, gradients[0], gradients[1], ...described);
    return [loss, ...gradients];
  },
);

/** The gradients exist already; they are multiplied by dy, or handed on when it is 1. */
export const linearCrossEntropyGrad = kernel<"dx" | "dWeight" | "dy">(
  "LinearCrossEntropyGrad",
  ({ inputs: { dx, dWeight, dy }, backend }) => {
    if (backend.values(dy)[0] === 1) return [backend.share(dx), backend.share(dWeight)];
    return [dx, dWeight].map((gradient) => {
      const scaled = backend.output(gradient.shape);
      backend.run("scaleByNumber", gradient, dy, scaled, sizeOf(gradient));
      return scaled;
    });
  },
);

export const linearTokenLosses = kernel<"x" | "weight" | "targets", LossAttributes>(
  "LinearTokenLosses",
  ({ inputs: { x, weight, targets }, attrs, backend }) => {
    const losses = backend.output([x.shape[0]!]);
    backend.run("linearTokenLosses", x, weight, targets, losses, ...lossArguments(x, weight, attrs, backend));
    return [losses];
  },
);
