/**
 * Strided views of tensors, and the merging of axes: C++ loops over as few axes as possible. A view is a shape and, per
 * operand, strides in elements; a stride of 0 repeats an operand along that axis.
 */
import { type TensorInfo, util } from "@tensorflow/tfjs";
import type { NativeBackend } from "../../backend.js";

/** Strides of a contiguous tensor. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  for (let axis = shape.length - 1, stride = 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Strides that let a contiguous operand be read with the broadcast shape `to`. */
export function broadcastStrides(shape: readonly number[], to: readonly number[]): number[] {
  const own = stridesOf(shape);
  const added = to.length - shape.length;
  return to.map((_, axis) => (axis < added || shape[axis - added] === 1 ? 0 : own[axis - added]!));
}

/** A shape with the strides of two operands. */
interface View {
  shape: number[];
  first: number[];
  second: number[];
}

/** Drops axes of length 1 and joins neighbours that both operands step through as one; at least one axis remains. */
export function mergeAxes({ shape, first, second }: View): View {
  const merged: View = { shape: [], first: [], second: [] };
  for (let axis = 0; axis < shape.length; axis++) {
    const length = shape[axis]!;
    if (length === 1) continue;
    const last = merged.shape.length - 1;
    const joins =
      last >= 0 && merged.first[last] === first[axis]! * length && merged.second[last] === second[axis]! * length;
    if (joins) {
      merged.shape[last]! *= length;
      merged.first[last] = first[axis]!;
      merged.second[last] = second[axis]!;
    } else {
      merged.shape.push(length);
      merged.first.push(first[axis]!);
      merged.second.push(second[axis]!);
    }
  }
  if (merged.shape.length === 0) return { shape: [1], first: [1], second: [1] };
  return merged;
}

/** A view as C++ reads it: shape, strides of the first operand, strides of the second. */
export function packView({ shape, first, second }: View): Int32Array {
  return Int32Array.of(...shape, ...first, ...second);
}

/** One side of a copy: a tensor, the offset of the view's first element, and strides. */
export interface Place {
  tensor: TensorInfo;
  offset?: number;
  strides: number[];
}

/** Copies a view of one tensor to a view of another; both have `shape` and one dtype. */
export function copyView(backend: NativeBackend, shape: number[], from: Place, to: Place): void {
  if (util.sizeFromShape(shape) === 0) return;
  const view = mergeAxes({ shape, first: from.strides, second: to.strides });
  moveReadingAxis(view);
  const kernel = to.tensor.dtype === "bool" ? "copyBytes" : "copyWords";
  backend.run(kernel, from.tensor, from.offset ?? 0, to.tensor, to.offset ?? 0, packView(view), view.shape.length);
}

/** A copy with memory of its own. */
export function duplicate(backend: NativeBackend, x: TensorInfo): TensorInfo {
  const out = backend.output(x.shape, x.dtype);
  const strides = stridesOf(x.shape);
  copyView(backend, x.shape, { tensor: x, strides }, { tensor: out, strides });
  return out;
}

/** Puts the axis along which the source is contiguous beside the last one, so that C++ can transpose blocks. */
function moveReadingAxis({ shape, first, second }: View): void {
  const last = shape.length - 1;
  const reading = first.indexOf(1);
  if (second[last] !== 1 || reading < 0 || reading >= last - 1) return;
  for (const list of [shape, first, second]) list.splice(last - 1, 0, list.splice(reading, 1)[0]!);
}

/** `tensor` as outer × length × inner around one axis. */
export function aroundAxis(shape: readonly number[], axis: number): { outer: number; length: number; inner: number } {
  return {
    outer: util.sizeFromShape(shape.slice(0, axis)),
    length: shape[axis]!,
    inner: util.sizeFromShape(shape.slice(axis + 1)),
  };
}
