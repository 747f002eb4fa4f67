/**
 * Kernels that our models do not need to be fast are borrowed from TF.js's own JavaScript backend: their inputs are
 * copied there and their outputs copied back. `mm train --profile` shows them as "Name (JavaScript)"; when one matters,
 * it gets a kernel of its own.
 */
import { findBackend, getKernel, type KernelBackend, type TensorInfo } from "@tensorflow/tfjs";
import type { KernelCall } from "./kernel.js";

interface JavaScriptBackend extends KernelBackend {
  makeTensorInfo(shape: number[], dtype: string, values: unknown): TensorInfo;
  /** While true, the first tensor prints advice to install another backend. */
  firstUse: boolean;
  data: { get(dataId: object): { complexTensorInfos?: { real: TensorInfo; imag: TensorInfo } } };
}

/** Runs TF.js's JavaScript kernel of that name. */
export function borrow(
  name: string,
  { inputs, attrs, backend }: KernelCall<string, unknown>,
): TensorInfo | TensorInfo[] {
  const javaScript = findBackend("cpu") as JavaScriptBackend;
  javaScript.firstUse = false;
  const run = (kernelName: string, given: object, attributes: object) =>
    getKernel(kernelName, "cpu").kernelFunc({
      inputs: given as never,
      attrs: attributes as never,
      backend: javaScript,
    }) as TensorInfo | TensorInfo[];
  const lend = (tensor: TensorInfo): TensorInfo => {
    if (tensor.dtype !== "complex64") {
      const copy = javaScript.makeTensorInfo(tensor.shape, tensor.dtype, backend.values(tensor));
      return Object.assign(copy, { rank: tensor.shape.length }); // some kernels take whole tensors for granted
    }
    const { real, imag } = backend.complexParts(tensor);
    return run("Complex", { real: lend(real), imag: lend(imag) }, {}) as TensorInfo;
  };
  const takeBack = (tensor: TensorInfo): TensorInfo => {
    const parts = javaScript.data.get(tensor.dataId).complexTensorInfos;
    if (parts !== undefined) return backend.complex(takeBack(parts.real), takeBack(parts.imag));
    const values = javaScript.readSync(tensor.dataId);
    return { dataId: backend.write(values, tensor.shape, tensor.dtype), shape: tensor.shape, dtype: tensor.dtype };
  };
  // An input may be a list of tensors, and so may all of them together.
  const lendAll = (given: unknown): unknown => {
    if (given === undefined || given === null) return given;
    if (Array.isArray(given)) return given.map(lendAll);
    const tensor = lend(given as TensorInfo);
    lent.push(tensor);
    return tensor;
  };
  const lent: TensorInfo[] = [];
  try {
    const given = Array.isArray(inputs)
      ? lendAll(inputs)
      : Object.fromEntries(Object.entries(inputs).map(([key, input]) => [key, lendAll(input)]));
    const outputs = run(name, given as object, attrs as object);
    lent.push(...[outputs].flat());
    return Array.isArray(outputs) ? outputs.map(takeBack) : takeBack(outputs);
  } finally {
    for (const tensor of lent) javaScript.disposeData(tensor.dataId, true);
  }
}
