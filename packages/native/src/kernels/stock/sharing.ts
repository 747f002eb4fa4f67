/** Kernels that share memory instead of copying, and casts. */
import { type DataType, type TensorInfo, util } from "@tensorflow/tfjs";
import type { NativeBackend } from "../../backend.js";
import { borrow } from "../../borrow.js";
import { kernel, type NativeKernel, sizeOf } from "../../kernel.js";
import { duplicate } from "./layout.js";

const titles: Partial<Record<DataType, string>> = { float32: "Float", int32: "Int", bool: "Bool" };

/** The tensor as another type; the same memory when it has that type already. */
export function castTo(backend: NativeBackend, x: TensorInfo, dtype: DataType): TensorInfo {
  if (x.dtype === dtype) return backend.share(x);
  if (x.dtype === "complex64") return converted(backend, backend.complexParts(x).real, dtype);
  if (dtype === "complex64") {
    return backend.complex(converted(backend, x, "float32"), fill(backend, x.shape, 0, "float32"));
  }
  if (titles[x.dtype] === undefined || titles[dtype] === undefined) {
    throw new Error(`Cannot cast ${x.dtype} to ${dtype}.`);
  }
  const out = backend.output(x.shape, dtype);
  backend.run(`cast${titles[x.dtype]}To${titles[dtype]}`, x, out, sizeOf(x));
  return out;
}

/**
 * The same with memory of its own. Parts of complex tensors need that: TF.js counts data by the tensors it knows, and would
 * lose count of one that outlives its tensor inside another.
 */
export function converted(backend: NativeBackend, x: TensorInfo, dtype: DataType): TensorInfo {
  return x.dtype === dtype ? duplicate(backend, x) : castTo(backend, x, dtype);
}

/** A new tensor of one value. */
export function fill(backend: NativeBackend, shape: number[], value: number, dtype: DataType): TensorInfo {
  if (dtype === "complex64") {
    return backend.complex(fill(backend, shape, value, "float32"), fill(backend, shape, 0, "float32"));
  }
  const out = backend.output(shape, dtype);
  backend.run(`fill${titles[dtype]}`, out, sizeOf(out), value);
  return out;
}

/** The same elements with another shape, in which one length may be -1. */
export function reshape(backend: NativeBackend, x: TensorInfo, shape: number[]): TensorInfo {
  const size = sizeOf(x);
  const inferred = util.inferFromImplicitShape(shape, size);
  util.assert(
    util.sizeFromShape(inferred) === size,
    () => `The new shape [${inferred}] must have as many elements as the old shape [${x.shape}].`,
  );
  return backend.share(x, inferred);
}

export const sharingKernels: readonly NativeKernel[] = [
  kernel<"x">("Identity", ({ inputs: { x }, backend }) => backend.share(x)),
  kernel<"x", { shape: number[] }>("Reshape", ({ inputs: { x }, attrs, backend }) => reshape(backend, x, attrs.shape)),
  kernel<"input", { dim: number }>("ExpandDims", ({ inputs: { input }, attrs: { dim }, backend }) => {
    const rank = input.shape.length;
    util.assert(
      dim >= -rank - 1 && dim <= rank,
      () => `Axis must be in the interval [${-rank - 1}, ${rank}], got ${dim}.`,
    );
    const shape = [...input.shape];
    shape.splice(dim < 0 ? rank + dim + 1 : dim, 0, 1);
    return backend.share(input, shape);
  }),
  kernel<"x", { dtype: DataType }>("Cast", ({ inputs: { x }, attrs, backend }) => castTo(backend, x, attrs.dtype)),
  kernel<never, { shape: number[]; value: number | string; dtype?: DataType }>("Fill", (call) => {
    const { shape, value, dtype } = call.attrs;
    if (typeof value === "string") return borrow("Fill", call);
    return fill(call.backend, shape, Number(value), dtype ?? util.inferDtype(value));
  }),
  kernel<"x">("ZerosLike", ({ inputs: { x }, backend }) => fill(backend, x.shape, 0, x.dtype)),
  kernel<"x">("OnesLike", ({ inputs: { x }, backend }) => fill(backend, x.shape, 1, x.dtype)),
];
