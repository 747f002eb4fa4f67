/** Makes the backend known to TF.js and to the choice of backends in @mm/ops. */

import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { type BackendOptions, type BackendProvider, registerBackendProvider } from "@mm/ops";
import { UserError } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { type Addon, loadAddon } from "./addon.js";
import { NativeBackend } from "./backend.js";
import { registerKernels } from "./kernel.js";
import { borrowedKernels } from "./kernels/borrowed.js";
import { fusedKernels } from "./kernels/fused/index.js";
import { stockKernels } from "./kernels/stock/index.js";

export const backendName = "native";

/** Above TF.js's own backends. */
const priority = 10;

/** Threads to use: the option, MM_THREADS, or all cores. */
function threadsFor(wanted: number | undefined): number {
  const fromEnvironment = process.env["MM_THREADS"];
  if (wanted !== undefined) return wanted;
  if (fromEnvironment === undefined) return availableParallelism();
  const threads = Number(fromEnvironment);
  if (Number.isInteger(threads) && threads >= 1) return threads;
  throw new UserError(`Expected MM_THREADS to be a number of threads, 1 or more, but found "${fromEnvironment}".`, {
    hint: "Set MM_THREADS=2, for instance, or unset it to use all cores.",
  });
}

/** The backend of that name on that addon, known to TF.js with all its kernels; made once. */
export function registerBackend(name: string, addon: Addon, priority: number): NativeBackend {
  if (tf.engine().registryFactory[name] === undefined) {
    tf.registerBackend(name, () => new NativeBackend(addon), priority);
    const own = [...stockKernels, ...fusedKernels];
    registerKernels([...own, ...borrowedKernels(own)], name);
  }
  return tf.findBackend(name) as NativeBackend;
}

/** Registers backend and kernels once, then sets threads and precision. */
export function registerNative({ threads, precision = "fp32" }: BackendOptions = {}): NativeBackend {
  const addon = loadAddon();
  const backend = registerBackend(backendName, addon, priority);
  addon.setThreads(threadsFor(threads));
  backend.precision = precision;
  return backend;
}

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return version;
}

export const nativeProvider: BackendProvider = {
  name: backendName,
  description: "our kernels in C++ for this machine's processor: the fastest",
  precisions: ["fp32", "bf16"],
  hint: "Install g++ (or clang++), then run `node packages/native/scripts/build.js`.",
  async load(options) {
    const { addon } = registerNative(options);
    const threads = addon.threads();
    const settings = [addon.instructionSet(), `${threads} threads`, options.precision].filter(Boolean);
    return { tfName: backendName, version: `${packageVersion()} (${settings.join(", ")})`, threads };
  },
};

registerBackendProvider(nativeProvider);
