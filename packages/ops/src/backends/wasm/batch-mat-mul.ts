/** BatchMatMul by our own product: fast for batches and transposes too, where the stock kernel is ten times slower. */
import * as tf from "@tensorflow/tfjs";
import { type Heap, heapOf, matrix, transposed } from "./heap.js";

export function registerBatchMatMul(): void {
  const stock = tf.getKernel("BatchMatMul", "wasm");
  tf.unregisterKernel("BatchMatMul", "wasm");
  tf.registerKernel({
    ...stock,
    kernelFunc: (call) => {
      const { a, b } = call.inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
      const { transposeA, transposeB } = call.attrs as { transposeA: boolean; transposeB: boolean };
      if (a.dtype !== "float32" || b.dtype !== "float32") return stock.kernelFunc(call);
      return batchMatMul(heapOf(call.backend), a, b, transposeA, transposeB);
    },
  });
}

function batchMatMul(
  heap: Heap,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  transposeA: boolean,
  transposeB: boolean,
): tf.TensorInfo {
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [inner, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  if (k !== inner) throw new Error(`matMul: inner lengths ${k} and ${inner} differ, of [${a.shape}] and [${b.shape}]`);

  const [aBatch, bBatch] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(aBatch, bBatch);
  const [aItems, bItems] = [broadcastIndices(aBatch, batch), broadcastIndices(bBatch, batch)];
  const out = heap.output([...batch, m, n]);
  for (let item = 0; item < aItems.length; item++) {
    const left = matrix(heap.place(a) + 4 * m * k * aItems[item]!, aRows, aColumns);
    const right = matrix(heap.place(b) + 4 * k * n * bItems[item]!, bRows, bColumns);
    const result = matrix(heap.place(out) + 4 * m * n * item, m, n);
    heap.product(transposeA ? transposed(left) : left, transposeB ? transposed(right) : right, result);
  }
  return out;
}

/** For every item of the broadcast batch, the index of the operand's item. */
function broadcastIndices(own: number[], batch: number[]): number[] {
  const strides = batch.map((_, axis) => {
    const ownAxis = axis - (batch.length - own.length);
    if (ownAxis < 0 || own[ownAxis] === 1) return 0;
    return tf.util.sizeFromShape(own.slice(ownAxis + 1));
  });
  return Array.from({ length: tf.util.sizeFromShape(batch) }, (_, item) => {
    let rest = item;
    let index = 0;
    for (let axis = batch.length - 1; axis >= 0; axis--) {
      index += (rest % batch[axis]!) * strides[axis]!;
      rest = Math.floor(rest / batch[axis]!);
    }
    return index;
  });
}
