/** LayerNorm for wasm. Statistics per row: the mean and 1/√(variance + ε). */
import { registerWasmKernel } from "./heap.js";

export function registerLayerNorm(): void {
  registerWasmKernel("LayerNorm", (heap, { x, weight, bias }, { epsilon }) => {
    const width = weight.shape[0]!;
    const out = heap.output(x.shape);
    const from = heap.floats(x);
    const rows = from.length / width;
    const outputs = [out, heap.output([rows]), heap.output([rows])];
    const [y, means, inverses] = outputs.map((info) => heap.floats(info)) as [Float32Array, Float32Array, Float32Array];
    const input = heap.floats(x);
    const gain = heap.floats(weight);
    const shift = bias === undefined ? undefined : heap.floats(bias);
    for (let row = 0; row < rows; row++) {
      const start = row * width;
      let sum = 0;
      for (let i = 0; i < width; i++) sum += input[start + i]!;
      const mean = sum / width;
      let squares = 0;
      for (let i = 0; i < width; i++) squares += (input[start + i]! - mean) ** 2;
      const inverse = 1 / Math.sqrt(squares / width + epsilon);
      for (let i = 0; i < width; i++) y[start + i] = (input[start + i]! - mean) * inverse * gain[i]!;
      if (shift !== undefined) for (let i = 0; i < width; i++) y[start + i]! += shift[i]!;
      means[row] = mean;
      inverses[row] = inverse;
    }
    return outputs;
  });

  // With z = (x − mean)·inverse and g = dy·weight: dx = inverse · (g − mean(g) − z·mean(g·z)).
  registerWasmKernel("LayerNormGrad", (heap, { x, weight, mean, inverseDeviation, dy }, { bias }) => {
    const width = weight.shape[0]!;
    const outputs = [heap.output(x.shape), heap.output([width])];
    if (bias) outputs.push(heap.output([width]));
    const dx = heap.floats(outputs[0]!);
    const dWeight = heap.floats(outputs[1]!);
    const weightSums = new Float64Array(width);
    const biasSums = new Float64Array(width);
    const input = heap.floats(x);
    const gain = heap.floats(weight);
    const means = heap.floats(mean);
    const inverses = heap.floats(inverseDeviation);
    const gradient = heap.floats(dy);
    for (let row = 0; row < means.length; row++) {
      const start = row * width;
      const centre = means[row]!;
      const inverse = inverses[row]!;
      let sum = 0;
      let product = 0;
      for (let i = 0; i < width; i++) {
        const d = gradient[start + i]!;
        const z = (input[start + i]! - centre) * inverse;
        weightSums[i]! += d * z;
        biasSums[i]! += d;
        sum += d * gain[i]!;
        product += d * gain[i]! * z;
      }
      sum /= width;
      product /= width;
      for (let i = 0; i < width; i++) {
        const z = (input[start + i]! - centre) * inverse;
        dx[start + i] = inverse * (gradient[start + i]! * gain[i]! - sum - z * product);
      }
    }
    dWeight.set(weightSums);
    if (bias) heap.floats(outputs[2]!).set(biasSums);
    return outputs;
  });
}
