/** Reductions, running sums and softmax: tensors seen as outer × length × inner (cc/stock/reduce.cc). */
import { backend_util, type DataType, type TensorInfo, util } from "@tensorflow/tfjs";
import type { NativeBackend } from "../../backend.js";
import { kernel, type NativeKernel, sizeOf } from "../../kernel.js";
import { aroundAxis } from "./layout.js";
import { castTo } from "./sharing.js";
import { transpose } from "./views.js";

const suffix: Partial<Record<DataType, string>> = { float32: "Float", int32: "Int", bool: "Bool" };

interface ReductionAttributes {
  axis: number | number[];
  keepDims?: boolean;
}

/** Combines x over the given axes with the C++ reduction `stem`; x must have a type that it knows. */
function reduce(
  backend: NativeBackend,
  stem: string,
  x: TensorInfo,
  { axis, keepDims }: ReductionAttributes,
): TensorInfo {
  const axes = util.parseAxisParam(axis, x.shape).sort((a, b) => a - b);
  const [outShape, lengths] = backend_util.computeOutAndReduceShapes(x.shape, axes);
  const shape = keepDims ? backend_util.expandShapeToKeepDim(outShape, axes) : outShape;
  const length = util.sizeFromShape(lengths);
  // Neighbouring axes are one; otherwise they are moved to the end first.
  const first = axes[0] ?? 0;
  const together = axes.every((value, i) => value === first + i);
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const source = together ? backend.share(x) : transpose(backend, x, [...kept, ...axes]);
  const inner = together ? util.sizeFromShape(x.shape.slice(first + axes.length)) : 1;
  const out = backend.output(shape, x.dtype);
  const size = sizeOf(out);
  if (size > 0) backend.run(stem + suffix[x.dtype], source, out, size / inner, length, inner);
  backend.free(source);
  return out;
}

function reduceAs(backend: NativeBackend, stem: string, x: TensorInfo, dtype: DataType, attrs: ReductionAttributes) {
  const operand = castTo(backend, x, dtype);
  const out = reduce(backend, stem, operand, attrs);
  backend.free(operand);
  return out;
}

const reductions = { Sum: "sum", Prod: "prod", Min: "min" };
const logical = { All: "all", Any: "any" };

const mean = kernel<"x", ReductionAttributes>("Mean", ({ inputs: { x }, attrs, backend }) => {
  const total = reduceAs(backend, "sum", x, "float32", attrs);
  const out = backend.output(total.shape);
  const count = sizeOf(x) / Math.max(1, sizeOf(out));
  if (sizeOf(out) > 0) {
    const divisor = Float32Array.of(count);
    backend.run("realDivFloat", total, divisor, out, Int32Array.of(sizeOf(out), 1, 0), 1);
  }
  backend.free(total);
  return out;
});

const indices = { ArgMax: "argMax", ArgMin: "argMin" };
const running = { Cumsum: "cumsum", Cumprod: "cumprod" };

export const reductionKernels: readonly NativeKernel[] = [
  ...Object.entries(reductions).map(([name, stem]) =>
    kernel<"x", ReductionAttributes>(name, ({ inputs: { x }, attrs, backend }) =>
      reduceAs(backend, stem, x, x.dtype === "float32" ? "float32" : "int32", attrs),
    ),
  ),
  ...Object.entries(logical).map(([name, stem]) =>
    kernel<"x", ReductionAttributes>(name, ({ inputs: { x }, attrs, backend }) =>
      reduceAs(backend, stem, x, "bool", attrs),
    ),
  ),
  mean,
  kernel<"x", { reductionIndices: number | number[]; keepDims: boolean }>("Max", ({ inputs: { x }, attrs, backend }) =>
    reduceAs(backend, "max", x, x.dtype === "float32" ? "float32" : "int32", {
      axis: attrs.reductionIndices,
      keepDims: attrs.keepDims,
    }),
  ),
  ...Object.entries(indices).map(([name, stem]) =>
    kernel<"x", { axis: number | number[] }>(name, ({ inputs: { x }, attrs, backend }) => {
      const axis = util.parseAxisParam(attrs.axis, x.shape)[0] ?? 0;
      const shape = x.shape.filter((_, i) => i !== axis);
      const operand = castTo(backend, x, x.dtype === "float32" ? "float32" : "int32");
      const out = backend.output(shape, "int32");
      const { outer, length, inner } =
        x.shape.length === 0 ? { outer: 1, length: 1, inner: 1 } : aroundAxis(x.shape, axis);
      backend.run(stem + suffix[operand.dtype], operand, out, outer, length, inner);
      backend.free(operand);
      return out;
    }),
  ),
  ...Object.entries(running).map(([name, stem]) =>
    kernel<"x", { axis: number; exclusive: boolean; reverse: boolean }>(name, ({ inputs: { x }, attrs, backend }) => {
      const operand = castTo(backend, x, x.dtype === "float32" ? "float32" : "int32");
      const out = backend.output(x.shape, operand.dtype);
      const axis = util.parseAxisParam(attrs.axis, x.shape)[0] ?? 0;
      const { outer, length, inner } =
        x.shape.length === 0 ? { outer: 1, length: 1, inner: 1 } : aroundAxis(x.shape, axis);
      backend.run(stem + suffix[operand.dtype], operand, out, outer, length, inner, attrs.exclusive, attrs.reverse);
      backend.free(operand);
      return out;
    }),
  ),
  kernel<"logits">("Softmax", ({ inputs: { logits }, backend }) => {
    const x = castTo(backend, logits, "float32");
    const out = backend.output(x.shape);
    const columns = x.shape[x.shape.length - 1] ?? 1;
    if (sizeOf(x) > 0) backend.run("softmax", x, out, sizeOf(x) / columns, columns);
    backend.free(x);
    return out;
  }),
];
