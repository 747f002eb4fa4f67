/** The C++ files of the addon, and the instruction sets they are compiled for. A new file with kernels is added here. */

/** Flags and macros of each instruction set; `rank` is MM_LEVEL in cc/kernel.h. */
export const instructionSets = {
  /** For x86 machines from before 2013, which may be a little slower; arm64, which has only this set, takes none of the flags. */
  baseline: { rank: 0, lanes: 4, pairs: 0, flags: ["-O1"] },
  avx2: { rank: 1, lanes: 8, pairs: 0, flags: ["-mavx2", "-mfma", "-mbmi2", "-mf16c"] },
  avx512: {
    rank: 2,
    lanes: 16,
    pairs: 0,
    flags: [
      "-mavx512f",
      "-mavx512bw",
      "-mavx512vl",
      "-mavx512dq",
      "-mavx2",
      "-mfma",
      "-mbmi2",
      "-mprefer-vector-width=512",
    ],
  },
  avx512bf16: {
    rank: 3,
    lanes: 16,
    pairs: 1,
    flags: [
      "-mavx512f",
      "-mavx512bw",
      "-mavx512vl",
      "-mavx512dq",
      "-mavx512bf16",
      "-mavx2",
      "-mfma",
      "-mbmi2",
      "-mprefer-vector-width=512",
    ],
  },
  /** For tests only: the 16-lane code with bf16 pairs, lowered to AVX2 by the compiler. */
  wide: { rank: 9, lanes: 16, pairs: 1, flags: ["-mavx2", "-mfma", "-mbmi2", "-mf16c"] },
};

/** The connection to Node. */
export const binding = ["binding.cc"];

/** Tests of kernels by name, which the GPU's kernels pass too (build-cuda.js). */
const ofKernels = ["main", "calls", "reads.test", "layers.test", "recurrences.test", "stock.test"].map(
  (name) => `tests/${name}.cc`,
);
/** The C++ tests: of kernels by name, compiled once, and of vectors and products, compiled for each instruction set. */
export const tests = {
  once: [...ofKernels, "tests/memory.test.cc"],
  perSet: ["tests/vectors.test.cc"],
  onDevice: ofKernels,
};

/** Files without vectors of their own: compiled once, for the plainest machine. */
export const plain = [
  ...["kernel.cc", "machine.cc", "memory.cc", "scratch.cc", "system-memory.cc", "threads.cc"],
  "stock/elementwise.cc",
];

/**
 * Files of kernels, compiled together for each of the instruction sets: Intel's header of intrinsics takes a compiler a
 * second, which a file alone is rarely worth. Kernels that wait for memory gain nothing from the widest vectors, kernels
 * with bf16 products gain from dpbf16.
 */
export const units = {
  "memory-read": { files: ["fused/memory-read.cc"], sets: ["avx512bf16", "avx512", "avx2", "baseline"] },
  products: {
    files: ["gemm.cc", "stock/matmul.cc", "fused/linear.cc", "fused/linear-cross-entropy.cc", "bench/peak.cc"],
    sets: ["avx512bf16", "avx512", "avx2", "baseline"],
  },
  elements: {
    files: ["stock/binary.cc", "stock/unary.cc", "stock/reduce.cc", "stock/copy.cc"],
    sets: ["avx2", "baseline"],
  },
  rows: {
    files: [
      "fused/leaky.cc",
      "fused/peek-values.cc",
      "fused/layer-norm.cc",
      "fused/scale-heads.cc",
      "fused/embedding.cc",
      "fused/linear-recurrence.cc",
      "fused/adam-w-step.cc",
    ],
    sets: ["avx512", "avx2", "baseline"],
  },
  fourier: { files: ["stock/fft.cc"], sets: ["baseline"] },
  arithmetic: {
    files: [
      "fused/dropout.cc",
      "fused/gelu.cc",
      "fused/causal-convolution.cc",
      "fused/selective-scan.cc",
      "fused/weighted-mean.cc",
      "fused/linear-memory.cc",
    ],
    sets: ["avx512", "avx2", "baseline"],
  },
};
