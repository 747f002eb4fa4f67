/**
 * WebAssembly with SIMD: the backend that is always there. TF.js's own is made fit for training: fast matrix products,
 * Identity without a copy, the missing segment sum, and our kernels as passes over its memory.
 */
import * as tf from "@tensorflow/tfjs";
import { version_wasm } from "@tensorflow/tfjs-backend-wasm";
import type { BackendProvider } from "../provider.js";
import { registerAdamW } from "./adam-w.js";
import { registerBatchMatMul } from "./batch-mat-mul.js";
import { registerCausalRead } from "./causal-read.js";
import { registerDropout } from "./dropout.js";
import { registerEmbedding } from "./embedding.js";
import { registerHeads } from "./heads.js";
import { registerIdentity } from "./identity.js";
import { registerLayerNorm } from "./layer-norm.js";
import { registerLeaky } from "./leaky.js";
import { registerLinearRecurrence } from "./linear-recurrence.js";
import { registerPeekValues } from "./peek-values.js";
import { registerPersistentRead } from "./persistent-read.js";
import { registerSegmentSum } from "./segment-sum.js";
import { registerWriteRows } from "./write-rows.js";

let registered = false;

export const wasm: BackendProvider = {
  name: "wasm",
  description: "WebAssembly with SIMD, one thread, on any machine",
  async load() {
    const before = tf.engine().backendName;
    if (!(await tf.setBackend("wasm"))) {
      throw new Error("this JavaScript engine cannot run the WebAssembly of TensorFlow.js");
    }
    if (!registered) registerKernels();
    if (before) await tf.setBackend(before);
    return { tfName: "wasm", version: version_wasm };
  },
};

/** Kernels that only our backend has, or has otherwise than TF.js; with what TF.js itself would run. */
const changed: { ours: tf.KernelConfig; stock: tf.KernelConfig | undefined }[] = [];

/**
 * Runs `work` on the wasm backend as TF.js ships it, for comparisons: without our kernels, so that every function runs
 * its plain definition. Only the segment sum stays, without which no embedding could learn.
 */
export async function withStockKernels<Result>(work: () => Promise<Result>): Promise<Result> {
  const swapped = changed.filter(({ ours }) => ours.kernelName !== "UnsortedSegmentSum");
  const put = (kernel: tf.KernelConfig | undefined) => kernel && tf.registerKernel(kernel);
  for (const { ours, stock } of swapped) {
    tf.unregisterKernel(ours.kernelName, "wasm");
    put(stock);
  }
  try {
    return await work();
  } finally {
    for (const { ours, stock } of swapped) {
      if (stock) tf.unregisterKernel(stock.kernelName, "wasm");
      put(ours);
    }
  }
}

function registerKernels(): void {
  registered = true;
  const before = new Map(tf.getKernelsForBackend("wasm").map((kernel) => [kernel.kernelName, kernel]));
  registerBatchMatMul();
  registerIdentity();
  registerSegmentSum();
  registerAdamW();
  registerCausalRead();
  registerDropout();
  registerEmbedding();
  registerHeads();
  registerLayerNorm();
  registerLeaky();
  registerLinearRecurrence();
  registerPeekValues();
  registerPersistentRead();
  registerWriteRows();
  for (const ours of tf.getKernelsForBackend("wasm")) {
    const stock = before.get(ours.kernelName);
    if (ours !== stock) changed.push({ ours, stock });
  }
}
