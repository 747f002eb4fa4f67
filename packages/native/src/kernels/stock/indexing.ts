/** Kernels that address elements by index (cc/stock/copy.cc). */
import { backend_util, type DataType, type TensorInfo, util } from "@tensorflow/tfjs";
import { borrow } from "../../borrow.js";
import { kernel, type NativeKernel, sizeOf } from "../../kernel.js";
import { castTo } from "./sharing.js";

const gather = kernel<"x" | "indices", { axis: number; batchDims: number }>(
  "GatherV2",
  ({ inputs: { x, indices }, attrs, backend }) => {
    const axis = util.parseAxisParam(attrs.axis, x.shape)[0]!;
    const shapes = backend_util.segment_util.collectGatherOpShapeInfo(
      x as never,
      indices as never,
      axis,
      attrs.batchDims ?? 0,
    );
    const out = backend.output(shapes.outputShape, x.dtype);
    if (sizeOf(out) === 0) return out;
    const where = castTo(backend, indices, "int32");
    const count = sizeOf(indices) / shapes.batchSize;
    const bytes = shapes.sliceSize * (x.dtype === "bool" ? 1 : 4);
    const wrong = backend.run(
      "gather",
      x,
      where,
      out,
      shapes.batchSize,
      shapes.outerSize,
      shapes.dimSize,
      count,
      bytes,
    );
    const found = wrong < 0 ? undefined : backend.values(where)[wrong];
    backend.free(where);
    if (found !== undefined) {
      backend.free(out);
      throw new Error(`GatherV2: the index value ${found} is not in [0, ${shapes.dimSize - 1}]`);
    }
    return out;
  },
);

const unsortedSegmentSum = kernel<"x" | "segmentIds", { numSegments: number }>(
  "UnsortedSegmentSum",
  ({ inputs, attrs: { numSegments }, backend }) => {
    const { x, segmentIds } = inputs;
    if (x.dtype !== "float32" || segmentIds.shape.length !== 1) {
      return borrow("UnsortedSegmentSum", { inputs, attrs: { numSegments }, backend });
    }
    const ids = castTo(backend, segmentIds, "int32");
    const rows = x.shape[0]!;
    const out = backend.output([numSegments, ...x.shape.slice(1)]);
    const inner = util.sizeFromShape(x.shape.slice(1));
    backend.run("unsortedSegmentSum", x, ids, out, rows, inner, numSegments);
    backend.free(ids);
    return out;
  },
);

interface OneHotAttributes {
  depth: number;
  onValue: number;
  offValue: number;
  dtype?: DataType;
}
const oneHot = kernel<"indices", OneHotAttributes>("OneHot", ({ inputs: { indices }, attrs, backend }) => {
  const { depth, onValue, offValue, dtype = "int32" } = attrs;
  const where = castTo(backend, indices, "int32");
  const hot: TensorInfo = backend.output([...indices.shape, depth]);
  backend.run("oneHot", where, hot, sizeOf(indices), depth, onValue, offValue);
  const out = castTo(backend, hot, dtype);
  backend.free(where, hot);
  return out;
});

export const indexingKernels: readonly NativeKernel[] = [gather, unsortedSegmentSum, oneHot];
