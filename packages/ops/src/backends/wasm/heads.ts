/** ScaleHeads for wasm. */
import { registerWasmKernel } from "./heap.js";

export function registerHeads(): void {
  registerWasmKernel("ScaleHeads", (heap, { x, scale }) => {
    const y = heap.output(x.shape);
    const to = heap.floats(y);
    const from = heap.floats(x);
    const factors = heap.floats(scale);
    const depth = x.shape[x.shape.length - 1]! / factors.length;
    for (let part = 0, at = 0; at < from.length; part++) {
      const factor = factors[part % factors.length]!;
      for (const end = at + depth; at < end; at++) to[at] = factor * from[at]!;
    }
    return [y];
  });

  registerWasmKernel("ScaleHeadsGrad", (heap, { x, scale, dy }) => {
    const outputs = [heap.output(x.shape), heap.output(scale.shape)];
    const to = heap.floats(outputs[0]!);
    const from = heap.floats(x);
    const gradient = heap.floats(dy);
    const factors = heap.floats(scale);
    const sums = new Float64Array(factors.length);
    const depth = x.shape[x.shape.length - 1]! / factors.length;
    for (let part = 0, at = 0; at < from.length; part++) {
      const head = part % factors.length;
      const factor = factors[head]!;
      let sum = 0;
      for (const end = at + depth; at < end; at++) {
        to[at] = factor * gradient[at]!;
        sum += from[at]! * gradient[at]!;
      }
      sums[head]! += sum;
    }
    heap.floats(outputs[1]!).set(sums);
    return outputs;
  });
}
