/**
 * CausalRead for wasm: queries in blocks of rows, each against the keys that any of its rows may read, so that the half
 * of the scores above the diagonal is not computed. The weights after the softmax are kept for the gradient, block after
 * block; the dropout mask is drawn again.
 */

import type * as tf from "@tensorflow/tfjs";
import type { CausalReadAttributes } from "../../kernels.js";
import { dropRoom, dropRows } from "./dropout.js";
import { type Heap, headOf, matrix, registerWasmKernel, rowsOf, transposed } from "./heap.js";
import { softmaxGradient } from "./softmax-gradient.js";

const BLOCK_ROWS = 128;

/** Queries firstRow … firstRow+rows−1 against keys first … first+columns−1; its weights start `at` floats in. */
interface Block {
  firstRow: number;
  rows: number;
  first: number;
  columns: number;
  at: number;
}

/** The blocks of one head of one sequence, and the floats that their weights take. Rows that read nothing are left out. */
function blocksOf(
  queryTime: number,
  keyTime: number,
  attributes: CausalReadAttributes,
): { blocks: Block[]; floats: number } {
  const blocks: Block[] = [];
  let floats = 0;
  for (let start = 0; start < queryTime; start += BLOCK_ROWS) {
    let [from, to] = [start, Math.min(queryTime, start + BLOCK_ROWS)];
    const empty = (row: number) => readable(row, keyTime, attributes)[1] <= readable(row, keyTime, attributes)[0];
    while (from < to && empty(from)) from++;
    while (from < to && empty(to - 1)) to--;
    if (from === to) continue;
    const first = readable(from, keyTime, attributes)[0];
    const columns = readable(to - 1, keyTime, attributes)[1] - first;
    blocks.push({ firstRow: from, rows: to - from, first, columns, at: floats });
    floats += (to - from) * columns;
  }
  return { blocks, floats };
}

/** The keys [first, end) that a query may read. */
function readable(row: number, keyTime: number, { offset, nearest, farthest }: CausalReadAttributes): [number, number] {
  const position = offset + row;
  const first = farthest < 0 ? 0 : Math.max(0, position - farthest);
  return [first, Math.min(keyTime, position - nearest + 1)];
}

/** Softmax over scale · scores, in place, with what a row may not read at weight zero. */
function maskedSoftmax(heap: Heap, at: number, block: Block, keyTime: number, attributes: CausalReadAttributes): void {
  const { firstRow, rows, first, columns } = block;
  const scores = heap.floats(at, rows * columns);
  for (let row = 0; row < rows; row++) {
    const [from, to] = readable(firstRow + row, keyTime, attributes);
    const start = row * columns;
    if (attributes.scale !== 1) for (let i = start; i < start + columns; i++) scores[i]! *= attributes.scale;
    scores.fill(-1e30, start, start + from - first);
    scores.fill(-1e30, start + to - first, start + columns);
  }
  heap.softmax(at, rows, columns);
}

function dropBlock(
  heap: Heap,
  weights: number,
  dropped: number,
  spare: number,
  block: Block,
  maskRowStart: number,
  attributes: CausalReadAttributes,
): void {
  const { firstRow, rows, first, columns } = block;
  dropRows(heap, weights, dropped, rows, columns, attributes, maskRowStart + firstRow, spare, first);
}

export function registerCausalRead(): void {
  registerWasmKernel("CausalRead", (heap, { queries, keys, values }, attributes) => {
    const [batch, queryTime] = queries.shape as [number, number, number];
    const keyTime = keys.shape[1]!;
    const { heads } = attributes;
    const drops = attributes.dropoutThreshold > 0;
    const { blocks, floats } = blocksOf(queryTime, keyTime, attributes);
    const out = heap.output(queries.shape);
    const kept = heap.output([batch, heads, floats]);
    heap.floats(out).fill(0);
    heap.scratch([drops ? BLOCK_ROWS * keyTime : 0, dropRoom(keyTime)], (dropped, spare) => {
      for (let item = 0; item < batch; item++) {
        for (let head = 0; head < heads; head++) {
          const part = (of: tf.TensorInfo) => headPart(heap, of, heads, item, head);
          for (const block of blocks) {
            const { firstRow, rows, first, columns } = block;
            const weights = heap.place(kept) + 4 * ((item * heads + head) * floats + block.at);
            const scores = matrix(weights, rows, columns);
            heap.product(rowsOf(part(queries), firstRow, rows), transposed(rowsOf(part(keys), first, columns)), scores);
            maskedSoftmax(heap, weights, block, keyTime, attributes);
            if (drops) dropBlock(heap, weights, dropped!, spare!, block, (item * heads + head) * queryTime, attributes);
            const read = matrix(drops ? dropped! : weights, rows, columns);
            heap.product(read, rowsOf(part(values), first, columns), rowsOf(part(out), firstRow, rows));
          }
        }
      }
    });
    return [out, kept];
  });

  registerWasmKernel("CausalReadGrad", (heap, inputs, attributes) => {
    const { queries, keys, values, logSumExp: kept, dy } = inputs;
    const [batch, queryTime] = queries.shape as [number, number, number];
    const keyTime = keys.shape[1]!;
    const { heads, scale, tied } = attributes;
    const drops = attributes.dropoutThreshold > 0;
    const { blocks, floats } = blocksOf(queryTime, keyTime, attributes);
    const dQueries = heap.output(queries.shape);
    const dKeys = tied ? dQueries : heap.output(keys.shape);
    const dValues = heap.output(values.shape);
    for (const gradient of [dQueries, dKeys, dValues]) heap.floats(gradient).fill(0);
    const room = BLOCK_ROWS * keyTime;
    heap.scratch([room, drops ? room : 0, dropRoom(keyTime)], (scratch, dropped, spare) => {
      for (let item = 0; item < batch; item++) {
        for (let head = 0; head < heads; head++) {
          const part = (of: tf.TensorInfo) => headPart(heap, of, heads, item, head);
          for (const block of blocks) {
            const { firstRow, rows, first, columns } = block;
            const weights = heap.place(kept) + 4 * ((item * heads + head) * floats + block.at);
            const asking = (of: tf.TensorInfo) => rowsOf(part(of), firstRow, rows);
            const stored = (of: tf.TensorInfo) => rowsOf(part(of), first, columns);
            const dScores = matrix(scratch!, rows, columns);
            heap.product(asking(dy), transposed(stored(values)), dScores);
            if (drops) dropBlock(heap, weights, dropped!, spare!, block, (item * heads + head) * queryTime, attributes);
            const read = matrix(drops ? dropped! : weights, rows, columns);
            softmaxGradient(heap, weights, read.place, scratch!, rows, columns);
            if (scale !== 1) multiply(heap.floats(scratch!, rows * columns), scale);
            heap.product(dScores, stored(keys), asking(dQueries), true);
            heap.product(transposed(dScores), asking(queries), stored(dKeys), true);
            heap.product(transposed(read), asking(dy), stored(dValues), true);
          }
        }
      }
    });
    return tied ? [dKeys, dValues] : [dQueries, dKeys, dValues];
  });
}

/** One head of one sequence of x [B, T, C], as [T, D]. */
function headPart(heap: Heap, x: tf.TensorInfo, heads: number, item: number, head: number) {
  const [, time, width] = x.shape as [number, number, number];
  return headOf(heap.place(x) + 4 * item * time * width, time, width, width / heads, head);
}

function multiply(values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i]! *= factor;
}
