/** Embedding for wasm. */
import { registerWasmKernel } from "./heap.js";

export function registerEmbedding(): void {
  registerWasmKernel("Embedding", (heap, { weight, tokens }) => {
    const [vocabulary, width] = weight.shape as [number, number];
    const y = heap.output([...tokens.shape, width]);
    const to = heap.floats(y);
    const table = heap.floats(weight);
    heap.integers(tokens).forEach((token, row) => {
      if (token >= 0 && token < vocabulary) to.set(table.subarray(token * width, (token + 1) * width), row * width);
      else to.fill(Number.NaN, row * width, (row + 1) * width);
    });
    return [y];
  });

  registerWasmKernel("EmbeddingGrad", (heap, { tokens, dy }, { vocabulary }) => {
    const width = dy.shape[dy.shape.length - 1]!;
    const dWeight = heap.output([vocabulary, width]);
    const to = heap.floats(dWeight).fill(0);
    const gradient = heap.floats(dy);
    heap.integers(tokens).forEach((token, row) => {
      if (token < 0 || token >= vocabulary) return;
      for (let i = 0; i < width; i++) to[token * width + i]! += gradient[row * width + i]!;
    });
    return [dWeight];
  });
}
