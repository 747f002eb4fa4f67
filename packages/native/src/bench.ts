/**
 * The speed of single kernels beside what the machine can do at most, both measured in the same run: `mm bench kernels`.
 */
import type { Addon, NativeFunction } from "./addon.js";
import type { Precision } from "./backend.js";
import { registerNative } from "./provider.js";

export interface KernelSpeed {
  kernel: string;
  shape: string;
  /** what `value` counts: 10^9 floating-point operations or bytes a second */
  unit: "GFLOP/s" | "GB/s";
  value: number;
  /** `value` over the peak, for products */
  shareOfPeak?: number;
}

export interface KernelBench {
  instructionSet: string;
  threads: number;
  /** GFLOP/s of register tiles whose operands stay in the first-level cache */
  peak: Record<Precision, number>;
  kernels: KernelSpeed[];
}

/** m × n × k: layers, the two memories and the vocabulary of the reference models. */
export const benchedProducts: readonly (readonly [number, number, number])[] = [
  [768, 768, 768],
  [2048, 768, 768],
  [4096, 3072, 768],
  [2048, 50304, 768],
  [2048, 2688, 64],
  [12288, 448, 16],
  [12288, 128, 128],
  [128, 128, 12288],
];
const layouts = [
  { name: "A·B", transposeA: false, transposeB: false },
  { name: "A·Bᵀ", transposeA: false, transposeB: true },
  { name: "Aᵀ·B", transposeA: true, transposeB: false },
];

const elements = 1 << 22;
/** Passes over memory, each with the arrays of `elements` floats that it reads and writes. */
const passes: { kernel: string; arrays: number; arguments(a: number, b: number, out: number): number[] | unknown[] }[] =
  [
    { kernel: "addFloat", arrays: 3, arguments: (a, b, out) => [a, b, out, Int32Array.of(elements, 1, 1), 1] },
    { kernel: "expFloat", arrays: 2, arguments: (a, _, out) => [a, out, elements] },
    { kernel: "tanhFloat", arrays: 2, arguments: (a, _, out) => [a, out, elements] },
    { kernel: "sumFloat", arrays: 1, arguments: (a, _, out) => [a, out, 1, elements, 1] },
    { kernel: "softmax", arrays: 2, arguments: (a, _, out) => [a, out, elements / 512, 512] },
  ];

/** Seconds of the fastest of several calls: what the kernel takes when nothing disturbs it. */
function fastest(work: () => void, seconds: number): number {
  work();
  let best = Number.POSITIVE_INFINITY;
  for (const end = performance.now() + 1000 * seconds; performance.now() < end; ) {
    const begin = performance.now();
    work();
    best = Math.min(best, (performance.now() - begin) / 1000);
  }
  return best;
}

/** GFLOP/s of the peak loop `kernel`. */
function measurePeak(kernel: NativeFunction, seconds: number): number {
  const operations = kernel(2000);
  return (operations ?? 0) / fastest(() => kernel(2000), seconds) / 1e9;
}

/** Random numbers in a new buffer. */
function randomBuffer(addon: Addon, count: number): number {
  const address = addon.allocate(4 * count);
  addon.copyIn(
    address,
    Float32Array.from({ length: count }, () => Math.random() - 0.5),
  );
  return address;
}

/**
 * Measures the products and some passes over memory.
 *
 * @param options.seconds spent on each measurement
 */
export function benchKernels({ threads, seconds = 0.3 }: { threads?: number; seconds?: number } = {}): KernelBench {
  const { addon } = registerNative({ threads });
  const { peakFp32, peakBf16, matMul } = addon.kernels as Record<string, NativeFunction>;
  const peak = { fp32: measurePeak(peakFp32!, seconds), bf16: measurePeak(peakBf16!, seconds) };
  const kernels: KernelSpeed[] = [];
  const first = new Int32Array(1);
  for (const [m, n, k] of benchedProducts) {
    const [a, b, c] = [randomBuffer(addon, m * k), randomBuffer(addon, k * n), addon.allocate(4 * m * n)] as const;
    for (const precision of ["fp32", "bf16"] as const)
      for (const { name, transposeA, transposeB } of layouts) {
        const bf16 = precision === "bf16";
        const time = fastest(
          () => matMul!(a, b, null, c, first, first, 1, m, n, k, transposeA, transposeB, bf16),
          seconds,
        );
        const value = (2 * m * n * k) / time / 1e9;
        const shape = `${m}×${n}×${k} ${name}`;
        kernels.push({
          kernel: `matMul ${precision}`,
          shape,
          unit: "GFLOP/s",
          value,
          shareOfPeak: value / peak[precision],
        });
      }
    for (const address of [a, b, c]) addon.release(address);
  }
  const [a, b, out] = [0, 1, 2].map(() => randomBuffer(addon, elements)) as [number, number, number];
  for (const pass of passes) {
    const run = addon.kernels[pass.kernel]!;
    const values = pass.arguments(a, b, out) as Parameters<NativeFunction>;
    const time = fastest(() => run(...values), seconds);
    const value = (4 * elements * pass.arrays) / time / 1e9;
    kernels.push({ kernel: pass.kernel, shape: `${elements}`, unit: "GB/s", value });
  }
  for (const address of [a, b, out]) addon.release(address);
  return { instructionSet: addon.instructionSet(), threads: addon.threads(), peak, kernels };
}
