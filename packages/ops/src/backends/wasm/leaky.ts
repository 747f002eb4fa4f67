/** LeakyAverage and LeakyKeys for wasm. */
import { registerWasmKernel } from "./heap.js";
import { scaledUnitsGradient, toScaledUnits } from "./unit-heads.js";

/** y_t = a·y_{t−1} + (1−a)·u_t with a = e^{−rate} per head. */
function average(u: Float32Array, rate: Float32Array, y: Float32Array, batch: number, time: number): void {
  const width = u.length / (batch * time);
  const keep = spread(rate, width, (lambda) => Math.exp(-lambda));
  const take = spread(rate, width, (lambda) => -Math.expm1(-lambda));
  for (let item = 0; item < batch; item++) {
    const start = item * time * width;
    for (let i = 0; i < width; i++) y[start + i] = take[i]! * u[start + i]!;
    for (let at = start + width; at < start + time * width; at += width) {
      for (let i = 0; i < width; i++) y[at + i] = keep[i]! * y[at + i - width]! + take[i]! * u[at + i]!;
    }
  }
}

/**
 * The gradient of `average`: g_t = dy_t + a·g_{t+1}, du_t = (1−a)·g_t, and for the rate, since da/dλ = −a,
 * dλ = −a Σ g_t·(y_{t−1} − u_t).
 *
 * @param du holds dy on entry and the gradient of u on return
 * @param previous the y_{t−1} of feature i at time t > 0, wherever it is stored
 */
function averageGradient(
  u: Float32Array,
  rate: Float32Array,
  previous: (at: number, i: number) => number,
  du: Float32Array,
  dRate: Float32Array,
  batch: number,
  time: number,
): void {
  const width = u.length / (batch * time);
  const keep = spread(rate, width, (lambda) => Math.exp(-lambda));
  const take = spread(rate, width, (lambda) => -Math.expm1(-lambda));
  const sums = new Float64Array(width);
  const carried = new Float64Array(width);
  for (let item = 0; item < batch; item++) {
    const start = item * time * width;
    carried.fill(0);
    for (let at = start + (time - 1) * width; at >= start; at -= width) {
      for (let i = 0; i < width; i++) {
        const g = du[at + i]! + keep[i]! * carried[i]!;
        carried[i] = g;
        sums[i]! += g * ((at > start ? previous(at - width, i) : 0) - u[at + i]!);
        du[at + i] = take[i]! * g;
      }
    }
  }
  const depth = width / rate.length;
  dRate.fill(0);
  for (let i = 0; i < width; i++) dRate[Math.floor(i / depth)]! -= keep[i]! * sums[i]!;
}

function spread(perHead: Float32Array, width: number, map: (value: number) => number): Float64Array {
  const depth = width / perHead.length;
  return Float64Array.from({ length: width }, (_, i) => map(perHead[Math.floor(i / depth)]!));
}

export function registerLeaky(): void {
  registerWasmKernel("LeakyAverage", (heap, { u, rate }) => {
    const [batch, time] = u.shape as [number, number];
    const y = heap.output(u.shape);
    average(heap.floats(u), heap.floats(rate), heap.floats(y), batch, time);
    return [y];
  });

  registerWasmKernel("LeakyAverageGrad", (heap, { u, rate, average, dy }) => {
    const [batch, time] = u.shape as [number, number];
    const outputs = [heap.output(u.shape), heap.output(rate.shape)];
    const [du, dRate] = outputs.map((info) => heap.floats(info)) as [Float32Array, Float32Array];
    const y = heap.floats(average);
    du.set(heap.floats(dy));
    averageGradient(heap.floats(u), heap.floats(rate), (at, i) => y[at + i]!, du, dRate, batch, time);
    return outputs;
  });

  registerWasmKernel("LeakyKeys", (heap, { u, rate, scale }) => {
    const [batch, time] = u.shape as [number, number];
    const outputs = [heap.output(u.shape), heap.output([batch, time, scale.shape[0]!])];
    const [keys, norms] = outputs.map((info) => heap.floats(info)) as [Float32Array, Float32Array];
    average(heap.floats(u), heap.floats(rate), keys, batch, time);
    toScaledUnits(keys, norms, heap.floats(scale));
    return outputs;
  });

  registerWasmKernel("LeakyKeysGrad", (heap, { u, rate, scale, keys, norm, dy }) => {
    const [batch, time, width] = u.shape as [number, number, number];
    const heads = scale.shape[0]!;
    const depth = width / heads;
    const outputs = [heap.output(u.shape), heap.output(rate.shape), heap.output(scale.shape)];
    const [du, dRate, dScale] = outputs.map((info) => heap.floats(info)) as [Float32Array, Float32Array, Float32Array];
    const k = heap.floats(keys);
    const norms = heap.floats(norm);
    const factors = heap.floats(scale);
    scaledUnitsGradient(k, norms, factors, heap.floats(dy), du, dScale);
    // The average itself was not kept: it is keys · norm/scale.
    const lengths = Float32Array.from(norms, (length, part) => length / factors[part % heads]!);
    const previous = (at: number, i: number) => k[at + i]! * lengths[Math.floor((at + i) / depth)]!;
    averageGradient(heap.floats(u), heap.floats(rate), previous, du, dRate, batch, time);
    return outputs;
  });
}
