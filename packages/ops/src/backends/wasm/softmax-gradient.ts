import { type SoftmaxGradientRow, softmaxGradientRowIn } from "../../webassembly/softmax-gradient-row.js";
import type { Heap } from "./heap.js";

let gradientRow: SoftmaxGradientRow | undefined;

/**
 * The gradient through softmax and dropout, row by row: with A the dropped weights, W the weights and dA the gradient
 * of A, the gradient of the scores is A∘dA − W·Σ A∘dA. Written over dA. The sum also equals dy·out, but a row's gradients
 * then no longer add up to zero, which shows where one weight is almost 1 and keys are long.
 *
 * @param weights W, `dropped` A and `dDropped` dA [rows, columns], without gaps
 */
export function softmaxGradient(
  heap: Heap,
  weights: number,
  dropped: number,
  dDropped: number,
  rows: number,
  columns: number,
): void {
  gradientRow ??= softmaxGradientRowIn(heap.memory);
  if (gradientRow === undefined) throw new Error("the gradient of a read on wasm needs WebAssembly SIMD");
  const w = heap.floats(weights, rows * columns);
  const a = heap.floats(dropped, rows * columns);
  const d = heap.floats(dDropped, rows * columns);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let along = 0;
    for (let i = start; i < start + columns; i++) along += a[i]! * d[i]!;
    const whole = columns - (columns % 4);
    if (whole > 0) gradientRow(weights + 4 * start, dropped + 4 * start, dDropped + 4 * start, whole / 4, -along);
    for (let i = start + whole; i < start + columns; i++) d[i] = a[i]! * d[i]! - w[i]! * along;
  }
}
