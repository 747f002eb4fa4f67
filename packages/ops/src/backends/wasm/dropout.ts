/** Dropout and DropoutAdd for wasm, and dropout of the weights of the reads. */
import type { DropoutAttributes } from "../../kernels.js";
import { type DropRow, dropRowIn } from "../../webassembly/drop-row.js";
import { type Heap, registerWasmKernel } from "./heap.js";

let dropRow: DropRow | undefined;

/** Floats of scratch space that `dropRows` needs. */
export function dropRoom(columns: number): number {
  return 32 * Math.ceil(columns / 32);
}

/**
 * to [rows, columns] = from with elements dropped.
 *
 * @param firstRow row of the mask that the first row stands for
 * @param spare place of `dropRoom(firstColumn + columns)` floats
 * @param firstColumn column of the mask that the first column stands for
 */
export function dropRows(
  heap: Heap,
  from: number,
  to: number,
  rows: number,
  columns: number,
  { dropoutThreshold: threshold, dropoutKey: key }: DropoutAttributes,
  firstRow: number,
  spare: number,
  firstColumn = 0,
): void {
  dropRow ??= dropRowIn(heap.memory);
  if (dropRow === undefined) throw new Error("dropout on wasm needs WebAssembly SIMD");
  const scale = 1 / (1 - threshold / 65536);
  const groups = Math.ceil((firstColumn + columns) / 32);
  if (groups === 0) return;
  for (let row = 0; row < rows; row++) {
    const at = 4 * row * columns;
    // Groups of 32 may reach into the next row, which is written later; the last row must not reach beyond its end.
    const direct = firstColumn === 0 && (columns % 32 === 0 || (row + 1) * columns + 32 <= rows * columns);
    if (direct && from !== to) {
      dropRow(to + at, from + at, groups, firstRow + row, threshold, scale, key[0], key[1]);
    } else {
      heap.floats(spare + 4 * firstColumn, columns).set(heap.floats(from + at, columns));
      dropRow(spare, spare, groups, firstRow + row, threshold, scale, key[0], key[1]);
      heap.floats(to + at, columns).set(heap.floats(spare + 4 * firstColumn, columns));
    }
  }
}

export function registerDropout(): void {
  registerWasmKernel("Dropout", (heap, { x }, attributes) => {
    const columns = x.shape[x.shape.length - 1]!;
    const y = heap.output(x.shape);
    heap.scratch([dropRoom(columns)], (spare) => {
      const rows = heap.floats(x).length / Math.max(1, columns);
      dropRows(heap, heap.place(x), heap.place(y), rows, columns, attributes, 0, spare!);
    });
    return [y];
  });

  registerWasmKernel("DropoutAdd", (heap, { residual, x }, attributes) => {
    const columns = x.shape[x.shape.length - 1]!;
    const y = heap.output(x.shape);
    heap.scratch([dropRoom(columns)], (spare) => {
      const rows = heap.floats(x).length / Math.max(1, columns);
      const drops = attributes.dropoutThreshold > 0;
      if (drops) dropRows(heap, heap.place(x), heap.place(y), rows, columns, attributes, 0, spare!);
      const to = heap.floats(y);
      const base = heap.floats(residual);
      const added = drops ? to : heap.floats(x);
      for (let i = 0; i < to.length; i++) to[i] = base[i]! + added[i]!;
    });
    return [y];
  });
}
