/** What computes in the browser: WebGPU where there is a graphics card, else WebAssembly. */
import { registerBackendProvider, selectBackend } from "@mm/ops";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import plain from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import threaded from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url";

registerBackendProvider({
  name: "webgpu",
  description: "the browser's WebGPU",
  async load() {
    if (!(await navigatorGpu()?.requestAdapter())) throw new Error("this browser has no WebGPU here");
    await import("@tensorflow/tfjs-backend-webgpu");
    return { tfName: "webgpu", version: "4.22.0" };
  },
});

/** @returns the name of the one that was chosen */
export async function chooseBackend(wanted: string): Promise<string> {
  setWasmPaths({
    "tfjs-backend-wasm.wasm": new URL(plain, location.href).href,
    "tfjs-backend-wasm-simd.wasm": new URL(simd, location.href).href,
    "tfjs-backend-wasm-threaded-simd.wasm": new URL(threaded, location.href).href,
  });
  for (const name of wanted === "auto" ? ["webgpu", "wasm"] : [wanted]) {
    try {
      return (await selectBackend(name)).name;
    } catch (error) {
      if (name === wanted || name === "wasm") throw error;
    }
  }
  throw new Error("unreachable");
}

interface Gpu {
  requestAdapter(): Promise<unknown>;
}

function navigatorGpu(): Gpu | undefined {
  return (navigator as { gpu?: Gpu }).gpu;
}
