/** The GPU as a backend that is chosen by name: `--backend cuda`. */
import { type BackendOptions, type BackendProvider, registerBackendProvider } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import type { Addon } from "../addon.js";
import type { NativeBackend } from "../backend.js";
import { packageVersion, registerBackend } from "../provider.js";
import { loadCudaAddon } from "./addon.js";

const cudaBackendName = "cuda";

/** Below every other backend: TF.js never takes it by itself. */
const priority = 0;

let addon: Addon | undefined;

/** Registers backend and kernels once, then sets the precision. */
export function registerCuda({ precision = "fp32" }: BackendOptions = {}): NativeBackend {
  addon ??= loadCudaAddon(() => (tf.findBackend(cudaBackendName) as NativeBackend).profile);
  const backend = registerBackend(cudaBackendName, addon, priority);
  backend.precision = precision;
  return backend;
}

export const cudaProvider: BackendProvider = {
  name: cudaBackendName,
  description: "our kernels in CUDA for NVIDIA's GPUs, sm_80 and later; experimental, and used only when asked for",
  precisions: ["fp32", "bf16"],
  hint: "Install the CUDA toolkit, 12 or 13, on a machine with an NVIDIA GPU, then run `node packages/native/scripts/build-cuda.js`.",
  async load(options) {
    const { addon: device } = registerCuda(options);
    const settings = [device.instructionSet(), options.precision].filter(Boolean);
    return { tfName: cudaBackendName, version: `${packageVersion()} (${settings.join(", ")})` };
  },
};

registerBackendProvider(cudaProvider);
