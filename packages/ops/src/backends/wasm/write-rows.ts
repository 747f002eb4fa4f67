/** WriteRows for wasm. */
import { registerWasmKernel } from "./heap.js";

export function registerWriteRows(): void {
  registerWasmKernel("WriteRows", (heap, { store, rows }, { at }) => {
    const [batch, time, width] = rows.shape as [number, number, number];
    const to = heap.floats(store);
    const from = heap.floats(rows);
    for (let item = 0; item < batch; item++) {
      const start = (item * store.shape[1]! + at) * width;
      to.set(from.subarray(item * time * width, (item + 1) * time * width), start);
    }
    return [];
  });
}
