/** Kernels that move elements: each is one or a few copies between strided views (cc/stock/copy.cc). */
import { backend_util, slice_util, type TensorInfo, util } from "@tensorflow/tfjs";
import type { NativeBackend } from "../../backend.js";
import { kernel, type NativeKernel } from "../../kernel.js";
import { copyView, stridesOf } from "./layout.js";
import { fill } from "./sharing.js";

/** A new contiguous tensor with the elements of a view of x; complex numbers part by part. */
export function copyOf(
  backend: NativeBackend,
  x: TensorInfo,
  shape: number[],
  strides: number[],
  offset = 0,
): TensorInfo {
  if (x.dtype === "complex64") {
    const { real, imag } = backend.complexParts(x);
    return backend.complex(
      copyOf(backend, real, shape, strides, offset),
      copyOf(backend, imag, shape, strides, offset),
    );
  }
  const out = backend.output(shape, x.dtype);
  copyView(backend, shape, { tensor: x, offset, strides }, { tensor: out, strides: stridesOf(shape) });
  return out;
}

export function transpose(backend: NativeBackend, x: TensorInfo, permutation: readonly number[]): TensorInfo {
  const strides = stridesOf(x.shape);
  const shape = permutation.map((axis) => x.shape[axis]!);
  return copyOf(
    backend,
    x,
    shape,
    permutation.map((axis) => strides[axis]!),
  );
}

export function slice(backend: NativeBackend, x: TensorInfo, begin: readonly number[], size: number[]): TensorInfo {
  const strides = stridesOf(x.shape);
  return copyOf(backend, x, size, strides, dot(begin, strides));
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** Tensors side by side along one axis. */
export function concatenate(backend: NativeBackend, parts: readonly TensorInfo[], axis: number): TensorInfo {
  const first = parts[0]!;
  if (first.dtype === "complex64") {
    const split = parts.map((part) => backend.complexParts(part));
    return backend.complex(
      concatenate(
        backend,
        split.map(({ real }) => real),
        axis,
      ),
      concatenate(
        backend,
        split.map(({ imag }) => imag),
        axis,
      ),
    );
  }
  const shape = backend_util.computeOutShape(
    parts.map((part) => part.shape),
    axis,
  );
  const out = backend.output(shape, first.dtype);
  const strides = stridesOf(shape);
  let position = 0;
  for (const part of parts) {
    const to = { tensor: out, offset: position * strides[axis]!, strides };
    copyView(backend, part.shape, { tensor: part, strides: stridesOf(part.shape) }, to);
    position += part.shape[axis]!;
  }
  return out;
}

const concat = kernel<string, { axis: number }>("Concat", ({ inputs, attrs, backend }) => {
  const tensors = Object.values(inputs);
  const axis = util.parseAxisParam(attrs.axis, tensors[0]!.shape)[0]!;
  backend_util.assertParamsConsistent(
    tensors.map((tensor) => tensor.shape),
    axis,
  );
  const parts = tensors.filter((tensor) => util.sizeFromShape(tensor.shape) > 0);
  if (parts.length === 1) return backend.share(parts[0]!);
  if (parts.length === 0) {
    const shape = backend_util.computeOutShape(
      tensors.map((tensor) => tensor.shape),
      axis,
    );
    return fill(backend, shape, 0, tensors[0]!.dtype);
  }
  return concatenate(backend, parts, axis);
});

const pack = kernel<string, { axis: number }>("Pack", ({ inputs, attrs, backend }) => {
  const tensors = Object.values(inputs);
  for (const tensor of tensors) {
    util.assertShapesMatch(tensors[0]!.shape, tensor.shape, "All tensors passed to stack must have matching shapes");
    util.assert(tensor.dtype === tensors[0]!.dtype, () => "All tensors passed to stack must have matching dtypes");
  }
  const parts = tensors.map((tensor) => {
    const shape = [...tensor.shape];
    shape.splice(attrs.axis, 0, 1);
    return backend.share(tensor, shape);
  });
  const out = concatenate(backend, parts, attrs.axis);
  backend.free(...parts);
  return out;
});

const unpack = kernel<"value", { axis: number }>("Unpack", ({ inputs: { value }, attrs, backend }) => {
  const axis = attrs.axis < 0 ? value.shape.length + attrs.axis : attrs.axis;
  const strides = stridesOf(value.shape);
  const without = (list: number[]) => list.filter((_, i) => i !== axis);
  return Array.from({ length: value.shape[axis]! }, (_, i) =>
    copyOf(backend, value, without(value.shape), without(strides), i * strides[axis]!),
  );
});

const split = kernel<"x", { numOrSizeSplits: number[] | number; axis: number }>(
  "SplitV",
  ({ inputs: { x }, attrs, backend }) => {
    const axis = util.parseAxisParam(attrs.axis, x.shape)[0]!;
    // TF.js asks for a whole tensor here, but reads only its shape.
    const sizes = backend_util.prepareSplitSize(x as never, attrs.numOrSizeSplits, axis);
    const begin = new Array<number>(x.shape.length).fill(0);
    return sizes.map((length) => {
      const size = x.shape.map((whole, i) => (i === axis ? length : whole));
      const part = slice(backend, x, begin, size);
      begin[axis]! += length;
      return part;
    });
  },
);

const pad = kernel<"x", { paddings: [number, number][]; constantValue: number }>(
  "PadV2",
  ({ inputs: { x }, attrs: { paddings, constantValue }, backend }) => {
    const shape = x.shape.map((length, axis) => length + paddings[axis]![0] + paddings[axis]![1]);
    const padded = (tensor: TensorInfo): TensorInfo => {
      const out = fill(backend, shape, constantValue, tensor.dtype);
      const strides = stridesOf(shape);
      const offset = dot(
        paddings.map(([before]) => before),
        strides,
      );
      copyView(backend, x.shape, { tensor, strides: stridesOf(x.shape) }, { tensor: out, offset, strides });
      return out;
    };
    if (x.dtype !== "complex64") return padded(x);
    const { real, imag } = backend.complexParts(x);
    return backend.complex(padded(real), padded(imag));
  },
);

interface StridedSliceAttributes {
  begin: number[];
  end: number[];
  strides: number[];
  beginMask: number;
  endMask: number;
  ellipsisMask: number;
  newAxisMask: number;
  shrinkAxisMask: number;
}
const stridedSlice = kernel<"x", StridedSliceAttributes>("StridedSlice", ({ inputs: { x }, attrs, backend }) => {
  const info = slice_util.sliceInfo(
    x.shape,
    attrs.begin,
    attrs.end,
    attrs.strides,
    attrs.beginMask,
    attrs.endMask,
    attrs.ellipsisMask,
    attrs.newAxisMask,
    attrs.shrinkAxisMask,
  );
  if (info.isIdentity) return backend.share(x, info.finalShape);
  const own = stridesOf(x.shape);
  const steps = own.map((stride, axis) => stride * info.strides[axis]!);
  const shape =
    info.sliceDim0 || info.isSimpleSlice
      ? slice_util.computeOutShape(info.begin, info.end, info.strides)
      : info.finalShapeSparse;
  const out = copyOf(backend, x, shape, steps, dot(info.begin, own));
  return { ...out, shape: info.finalShape };
});

const reverse = kernel<"x", { dims: number | number[] }>("Reverse", ({ inputs: { x }, attrs, backend }) => {
  const strides = stridesOf(x.shape);
  let offset = 0;
  for (const axis of util.parseAxisParam(attrs.dims, x.shape)) {
    offset += (x.shape[axis]! - 1) * strides[axis]!;
    strides[axis]! *= -1;
  }
  return copyOf(backend, x, x.shape, strides, offset);
});

const tile = kernel<"x", { reps: number[] }>("Tile", ({ inputs: { x }, attrs: { reps }, backend }) => {
  const strides = stridesOf(x.shape);
  const shape = x.shape.flatMap((length, axis) => [reps[axis]!, length]);
  const out = copyOf(
    backend,
    x,
    shape,
    strides.flatMap((stride) => [0, stride]),
  );
  return { ...out, shape: x.shape.map((length, axis) => length * reps[axis]!) };
});

export const viewKernels: readonly NativeKernel[] = [
  kernel<"x", { perm: number[] }>("Transpose", ({ inputs: { x }, attrs, backend }) =>
    transpose(backend, x, attrs.perm),
  ),
  kernel<"x", { begin: number | number[]; size: number | number[] }>("Slice", ({ inputs: { x }, attrs, backend }) => {
    const [begin, size] = slice_util.parseSliceParams(x as never, attrs.begin, attrs.size);
    slice_util.assertParamsValid(x as never, begin!, size!);
    return slice(backend, x, begin!, size!);
  }),
  concat,
  pack,
  unpack,
  split,
  pad,
  stridedSlice,
  reverse,
  tile,
];
