/** UnsortedSegmentSum, the gradient of `tf.gather`, which the stock backend lacks. */
import * as tf from "@tensorflow/tfjs";
import { replaceWasmKernel } from "./heap.js";

export function registerSegmentSum(): void {
  replaceWasmKernel("UnsortedSegmentSum", (heap, { x, segmentIds }, { numSegments }) => {
    const segments = numSegments as number;
    const rank = segmentIds!.shape.length;
    const inner = x!.shape.slice(rank);
    const width = tf.util.sizeFromShape(inner);
    const out = heap.output([segments, ...inner], x!.dtype);
    const to = (x!.dtype === "int32" ? heap.integers(out) : heap.floats(out)).fill(0);
    const from = x!.dtype === "int32" ? heap.integers(x!) : heap.floats(x!);
    const ids = heap.integers(segmentIds!);
    for (let row = 0; row < ids.length; row++) {
      const segment = ids[row]!;
      if (segment < 0 || segment >= segments) continue;
      for (let i = 0; i < width; i++) to[segment * width + i]! += from[row * width + i]!;
    }
    return out;
  });
}
