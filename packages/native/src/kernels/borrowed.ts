import { getKernelsForBackend } from "@tensorflow/tfjs";
import { borrow } from "../borrow.js";
import { kernel, type NativeKernel } from "../kernel.js";

/** Every kernel of TF.js's JavaScript backend that is not among `own`. */
export function borrowedKernels(own: readonly NativeKernel[]): NativeKernel[] {
  const names = new Set(own.map(({ name }) => name));
  return getKernelsForBackend("cpu")
    .filter(({ kernelName }) => !names.has(kernelName))
    .map(({ kernelName }) => ({
      ...kernel(kernelName, (call) => borrow(kernelName, call)),
      label: `${kernelName} (JavaScript)`,
    }));
}
