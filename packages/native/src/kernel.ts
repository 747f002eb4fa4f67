/**
 * How a TF.js kernel of this backend is declared: one `kernel(...)` per kernel, listed in src/kernels/index.ts.
 *
 *   export const gelu = kernel<"x">("Gelu", ({ inputs: { x }, backend }) => {
 *     const y = backend.output(x.shape);
 *     backend.run("gelu", x, y, sizeOf(x));
 *     return y;
 *   });
 */
import { type KernelConfig, registerKernel, type TensorInfo, util } from "@tensorflow/tfjs";
import type { NativeBackend } from "./backend.js";
import { borrow } from "./borrow.js";

/** One call of a kernel: inputs and attributes by the names that TF.js gives them. */
export interface KernelCall<Input extends string, Attributes> {
  inputs: Readonly<Record<Input, TensorInfo>>;
  attrs: Attributes;
  backend: NativeBackend;
}

export interface NativeKernel {
  readonly name: string;
  /** What a profile calls it, when that is not its name. */
  readonly label?: string;
  readonly compute: (call: KernelCall<string, unknown>) => TensorInfo | TensorInfo[];
}

/** A kernel named as TF.js (or @mm/ops) names it. Optional inputs may be undefined at run time: say so in the type. */
export function kernel<Input extends string, Attributes = unknown>(
  name: string,
  compute: (call: KernelCall<Input, Attributes>) => TensorInfo | TensorInfo[],
): NativeKernel {
  return { name, compute: compute as NativeKernel["compute"] };
}

/** Registers kernels for the backend of that name. */
export function registerKernels(kernels: readonly NativeKernel[], backendName: string): void {
  for (const { name, compute, label = name } of kernels) {
    registerKernel({
      kernelName: name,
      backendName,
      kernelFunc: ((call: KernelCall<string, unknown>) => {
        // Tensors of strings have no addresses.
        const inJavaScript = Object.values(call.inputs).some((tensor) => tensor?.dtype === "string");
        const run = inJavaScript ? () => borrow(name, call) : () => compute(call);
        return call.backend.profile.measure(label, run);
      }) as unknown as KernelConfig["kernelFunc"],
    });
  }
}

/** Number of elements of a tensor. */
export function sizeOf(tensor: TensorInfo): number {
  return util.sizeFromShape(tensor.shape);
}
