import type { KernelContract } from "@mm/ops";
import { kernel, sizeOf } from "../../kernel.js";

export const adamWStep = kernel<string, KernelContract["AdamWStep"]["attrs"]>(
  "AdamWStep",
  ({ inputs, attrs, backend }) => {
    const { count, decayed, learningRate, beta1, beta2, epsilon, weightDecay, step, clip } = attrs;
    const norm = backend.output([]);
    const addresses = new BigUint64Array(4 * count);
    const sizes = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      sizes[i] = sizeOf(inputs[`parameter${i}`]!);
      ["parameter", "gradient", "first", "second"].forEach((role, index) => {
        addresses[4 * i + index] = BigInt(backend.address(inputs[`${role}${i}`]!));
      });
    }
    const words = new Uint32Array(addresses.buffer);
    const flags = Uint8Array.from(decayed, Number);
    const settings = [learningRate, beta1, beta2, epsilon, weightDecay, step, clip];
    backend.run("adamWStep", words, sizes, flags, norm, count, ...settings);
    return [norm];
  },
);
