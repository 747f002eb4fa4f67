/** LinearRecurrence for wasm. */
import { registerWasmKernel } from "./heap.js";

export function registerLinearRecurrence(): void {
  registerWasmKernel("LinearRecurrence", (heap, { decay, input, initial }) => {
    const [batch, time, width] = input.shape as [number, number, number];
    const out = heap.output(input.shape);
    const h = heap.floats(out);
    const x = heap.floats(input);
    const a = heap.floats(decay);
    const before = initial === undefined ? undefined : heap.floats(initial);
    const varies = decay.shape.length === 3;
    for (let item = 0; item < batch; item++) {
      for (let t = 0, at = item * time * width; t < time; t++, at += width) {
        for (let i = 0; i < width; i++) {
          const previous = t > 0 ? h[at + i - width]! : (before?.[item * width + i] ?? 0);
          h[at + i] = a[varies ? at + i : i]! * previous + x[at + i]!;
        }
      }
    }
    return [out];
  });

  // g_t = dy_t + decay_{t+1}·g_{t+1} is the gradient of input_t; that of decay_t is g_t·h_{t−1}.
  registerWasmKernel("LinearRecurrenceGrad", (heap, { decay, states, initial, dy }) => {
    const [batch, time, width] = states.shape as [number, number, number];
    const outputs = [heap.output(decay.shape), heap.output(states.shape)];
    if (initial !== undefined) outputs.push(heap.output(initial.shape));
    const [dDecay, dInput, dInitial] = outputs.map((info) => heap.floats(info));
    const h = heap.floats(states);
    const a = heap.floats(decay);
    const gradient = heap.floats(dy);
    const before = initial === undefined ? undefined : heap.floats(initial);
    const varies = decay.shape.length === 3;
    const sums = new Float64Array(width);
    const carried = new Float64Array(width);
    for (let item = 0; item < batch; item++) {
      carried.fill(0);
      for (let t = time - 1, at = ((item + 1) * time - 1) * width; t >= 0; t--, at -= width) {
        for (let i = 0; i < width; i++) {
          const g = gradient[at + i]! + carried[i]!;
          dInput![at + i] = g;
          carried[i] = a[varies ? at + i : i]! * g;
          const change = g * (t > 0 ? h[at + i - width]! : (before?.[item * width + i] ?? 0));
          if (varies) dDecay![at + i] = change;
          else sums[i]! += change;
        }
      }
      dInitial?.set(carried, item * width);
    }
    if (!varies) dDecay!.set(sums);
    return outputs;
  });
}
