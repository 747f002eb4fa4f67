/**
 * PersistentRead for wasm: per head, all tokens of the batch as one matrix. The weights after the softmax are kept for
 * the gradient, as [H, B·T, P]; the dropout mask is drawn again.
 */
import type * as tf from "@tensorflow/tfjs";
import type { DropoutAttributes } from "../../kernels.js";
import { dropRoom, dropRows } from "./dropout.js";
import { type Heap, headOf, matrix, registerWasmKernel, transposed } from "./heap.js";
import { softmaxGradient } from "./softmax-gradient.js";

interface Sizes {
  batch: number;
  time: number;
  width: number;
  heads: number;
  slots: number;
  depth: number;
}

function sizesOf(keys: tf.TensorInfo, slotKeys: tf.TensorInfo): Sizes {
  const [batch, time, width] = keys.shape as [number, number, number];
  const [, heads, slots, depth] = slotKeys.shape as [number, number, number, number];
  return { batch, time, width, heads, slots, depth };
}

/** dropped = weights · mask, for the rows of one head; the mask's rows are (b·H + h)·T + t. */
function drop(
  heap: Heap,
  weights: number,
  dropped: number,
  spare: number,
  { batch, time, heads, slots }: Sizes,
  head: number,
  attributes: DropoutAttributes,
): void {
  for (let item = 0; item < batch; item++) {
    const at = 4 * item * time * slots;
    dropRows(heap, weights + at, dropped + at, time, slots, attributes, (item * heads + head) * time, spare);
  }
}

export function registerPersistentRead(): void {
  registerWasmKernel("PersistentRead", (heap, { keys, slotKeys, slotValues }, attributes) => {
    const sizes = sizesOf(keys, slotKeys);
    const { batch, time, width, heads, slots, depth } = sizes;
    const rows = batch * time;
    const drops = attributes.dropoutThreshold > 0;
    const out = heap.output(keys.shape);
    const kept = heap.output([heads, rows, slots]);
    heap.scratch([drops ? rows * slots : 0, dropRoom(slots)], (dropped, spare) => {
      for (let head = 0; head < heads; head++) {
        const weights = heap.place(kept) + 4 * head * rows * slots;
        const slotPlace = 4 * head * slots * depth;
        const k = headOf(heap.place(keys), rows, width, depth, head);
        const stored = matrix(heap.place(slotKeys) + slotPlace, slots, depth);
        heap.product(k, transposed(stored), matrix(weights, rows, slots));
        heap.softmax(weights, rows, slots);
        if (drops) drop(heap, weights, dropped!, spare!, sizes, head, attributes);
        const read = matrix(drops ? dropped! : weights, rows, slots);
        const values = matrix(heap.place(slotValues) + slotPlace, slots, depth);
        heap.product(read, values, headOf(heap.place(out), rows, width, depth, head));
      }
    });
    return [out, kept];
  });

  registerWasmKernel("PersistentReadGrad", (heap, inputs, attributes) => {
    const { keys, slotKeys, slotValues, logSumExp: kept, dy } = inputs;
    const sizes = sizesOf(keys, slotKeys);
    const { batch, time, width, heads, slots, depth } = sizes;
    const rows = batch * time;
    const drops = attributes.dropoutThreshold > 0;
    const dKeys = heap.output(keys.shape);
    const dSlotKeys = heap.output(slotKeys.shape);
    const dSlotValues = heap.output(slotValues.shape);
    heap.scratch([rows * slots, drops ? rows * slots : 0, dropRoom(slots)], (scratch, dropped, spare) => {
      for (let head = 0; head < heads; head++) {
        const weights = heap.place(kept) + 4 * head * rows * slots;
        const tokens = (of: tf.TensorInfo) => headOf(heap.place(of), rows, width, depth, head);
        const stored = (of: tf.TensorInfo) => matrix(heap.place(of) + 4 * head * slots * depth, slots, depth);
        const dScores = matrix(scratch!, rows, slots);
        heap.product(tokens(dy), transposed(stored(slotValues)), dScores);
        if (drops) drop(heap, weights, dropped!, spare!, sizes, head, attributes);
        const read = matrix(drops ? dropped! : weights, rows, slots);
        softmaxGradient(heap, weights, read.place, scratch!, rows, slots);
        heap.product(dScores, stored(slotKeys), tokens(dKeys));
        heap.product(transposed(dScores), tokens(keys), stored(dSlotKeys));
        heap.product(transposed(read), tokens(dy), stored(dSlotValues));
      }
    });
    return [dKeys, dSlotKeys, dSlotValues];
  });
}
