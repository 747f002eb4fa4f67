/** AdamWStep for wasm: two passes over all parameters. */
import type * as tf from "@tensorflow/tfjs";
import { registerWasmKernel } from "./heap.js";

export function registerAdamW(): void {
  registerWasmKernel("AdamWStep", (heap, inputs, settings) => {
    const { count, decayed, learningRate, beta1, beta2, epsilon, weightDecay, step, clip } = settings;
    const out = heap.output([]);
    const floats = (name: "parameter" | "gradient" | "first" | "second", index: number) =>
      heap.floats((inputs as Record<string, tf.TensorInfo>)[`${name}${index}`]!);
    let squares = 0;
    for (let index = 0; index < count; index++) {
      for (const g of floats("gradient", index)) squares += g * g;
    }
    const norm = Math.sqrt(squares);
    const factor = clip > 0 ? Math.min(1, clip / (norm + 1e-6)) : 1;
    const firstRate = learningRate / (1 - beta1 ** step);
    const secondCorrection = 1 / (1 - beta2 ** step);
    for (let index = 0; index < count; index++) {
      const parameter = floats("parameter", index);
      const gradient = floats("gradient", index);
      const first = floats("first", index);
      const second = floats("second", index);
      const shrink = decayed[index] ? 1 - learningRate * weightDecay : 1;
      for (let i = 0; i < parameter.length; i++) {
        const g = gradient[i]! * factor;
        const m = beta1 * first[i]! + (1 - beta1) * g;
        const s = beta2 * second[i]! + (1 - beta2) * g * g;
        first[i] = m;
        second[i] = s;
        parameter[i] = shrink * parameter[i]! - (firstRate * m) / (Math.sqrt(s * secondCorrection) + epsilon);
      }
    }
    heap.floats(out)[0] = norm;
    return [out];
  });
}
