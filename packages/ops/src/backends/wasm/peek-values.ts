/** PeekValues for wasm. */
import { registerWasmKernel } from "./heap.js";
import { scaledUnitsGradient, toScaledUnits } from "./unit-heads.js";

export function registerPeekValues(): void {
  registerWasmKernel("PeekValues", (heap, { w, mix, scale }, { shift }) => {
    const [batch, time, width] = w.shape as [number, number, number];
    const depth = width / scale.shape[0]!;
    const outputs = [heap.output(w.shape), heap.output([batch, time, scale.shape[0]!])];
    const [y, norms] = outputs.map((info) => heap.floats(info)) as [Float32Array, Float32Array];
    const x = heap.floats(w);
    const present = heap.floats(mix);
    const ahead = shift * width;
    for (let item = 0; item < batch; item++) {
      const end = (item + 1) * time * width;
      for (let at = item * time * width; at < end; at += width) {
        const last = at + ahead >= end;
        for (let i = 0; i < width; i++) {
          const c = present[Math.floor(i / depth)]!;
          y[at + i] = last ? c * x[at + i]! : c * x[at + i]! + (1 - c) * x[at + i + ahead]!;
        }
      }
    }
    toScaledUnits(y, norms, heap.floats(scale));
    return outputs;
  });

  registerWasmKernel("PeekValuesGrad", (heap, { w, mix, scale, values, norm, dy }, { shift }) => {
    const [batch, time, width] = w.shape as [number, number, number];
    const heads = scale.shape[0]!;
    const depth = width / heads;
    const outputs = [heap.output(w.shape), heap.output(mix.shape), heap.output(scale.shape)];
    const [dw, dMix, dScale] = outputs.map((info) => heap.floats(info)) as [Float32Array, Float32Array, Float32Array];
    const x = heap.floats(w);
    const present = heap.floats(mix);
    scaledUnitsGradient(heap.floats(values), heap.floats(norm), heap.floats(scale), heap.floats(dy), dw, dScale);
    const sums = new Float64Array(heads);
    const ahead = shift * width;
    for (let item = 0; item < batch; item++) {
      const start = item * time * width;
      const end = start + time * width;
      // Backwards, so that the gradient of the mixture at t − shift is still in place when t takes its share.
      for (let at = end - width; at >= start; at -= width) {
        const last = at + ahead >= end;
        const first = at - ahead < start;
        for (let i = 0; i < width; i++) {
          const head = Math.floor(i / depth);
          const c = present[head]!;
          const g = dw[at + i]!;
          sums[head]! += g * (last ? x[at + i]! : x[at + i]! - x[at + i + ahead]!);
          dw[at + i] = first ? c * g : c * g + (1 - c) * dw[at + i - ahead]!;
        }
      }
    }
    dMix.set(sums);
    return outputs;
  });
}
