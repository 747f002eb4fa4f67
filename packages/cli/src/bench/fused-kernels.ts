/** The speed of every fused kernel inside training steps of a reference shape: what it computes or moves, over its time. */
import type { MemoryMosaicConfig } from "@mm/models";
import type { KernelSpeed } from "@mm/native";
import { profileKernels } from "../kernel-profile.js";
import type { Shape } from "./shapes.js";
import { TrainBench } from "./train-bench.js";

/** Floating-point operations of a kernel in one step: of its matrix products, whatever else it does. */
function operations(config: MemoryMosaicConfig, tokens: number, length: number): Record<string, number> {
  const { width, blocks, slots, persistentBanks, vocabulary } = config;
  const linear = 2 * tokens * 5 * width * width * blocks;
  // Two products forward (scores, read-out); five backward, which computes the scores again.
  const persistent = 2 * tokens * slots * persistentBanks * width * blocks;
  const causal = 2 * tokens * (length / 2) * width * blocks;
  return {
    Linear: linear,
    LinearGrad: 2 * linear,
    PersistentRead: 2 * persistent,
    PersistentReadGrad: 5 * persistent,
    CausalRead: 2 * causal,
    CausalReadGrad: 5 * causal,
    LinearCrossEntropy: 3 * 2 * tokens * vocabulary * width,
  };
}

/** Hidden states [tokens, width] that one call of a kernel reads and writes. */
const arrays: Record<string, number> = {
  LayerNorm: 2,
  LayerNormGrad: 3,
  LeakyKeys: 2,
  LeakyKeysGrad: 4,
  PeekValues: 2,
  PeekValuesGrad: 4,
  ScaleHeads: 2,
  ScaleHeadsGrad: 3,
  Dropout: 2,
  DropoutAdd: 3,
  Embedding: 2,
};

/** Numbers per parameter that AdamW reads (parameter, gradient, two moments) and writes (all but the gradient). */
const adamWNumbers = 7;

/**
 * Trains some steps and keeps the fastest time of each kernel.
 *
 * @param peak GFLOP/s of the register loop, measured in the same run
 * @throws UserError on another backend than native
 */
export async function benchFusedKernels(
  shape: Shape,
  { name, peak, steps }: { name: string; peak: number; steps: number },
): Promise<KernelSpeed[]> {
  const bench = new TrainBench(shape);
  const fastest = new Map<string, { milliseconds: number; calls: number }>();
  await bench.step(0);
  for (let index = 0; index < steps; index++) {
    const { kernels } = await profileKernels("native", () => bench.step(index));
    for (const { kernel, milliseconds, calls } of kernels)
      if (milliseconds < (fastest.get(kernel)?.milliseconds ?? Number.POSITIVE_INFINITY))
        fastest.set(kernel, { milliseconds, calls });
  }
  const flops = operations(bench.config as MemoryMosaicConfig, bench.tokens, shape.length);
  const bytes = 4 * bench.tokens * bench.config.width;
  const parameters = bench.parameterCount;
  bench.dispose();

  const speeds: KernelSpeed[] = [];
  for (const [kernel, { milliseconds, calls }] of fastest) {
    const perSecond = (amount: number) => amount / 1e6 / milliseconds;
    const common = { kernel, shape: `in a step of ${name}` };
    if (flops[kernel] !== undefined) {
      const value = perSecond(flops[kernel]);
      speeds.push({ ...common, unit: "GFLOP/s", value, shareOfPeak: value / peak });
    } else if (arrays[kernel] !== undefined) {
      speeds.push({ ...common, unit: "GB/s", value: perSecond(arrays[kernel] * bytes * calls) });
    } else if (kernel === "AdamWStep") {
      speeds.push({ ...common, unit: "GB/s", value: perSecond(adamWNumbers * 4 * parameters) });
    }
  }
  return speeds.sort((a, b) => a.kernel.localeCompare(b.kernel));
}
