/** WebGPU: of the browser, or of Dawn through the npm package `webgpu` in Node. */

import type { BackendProvider } from "./provider.js";
import { firstLine, isMissing } from "./tensorflow.js";

export const webgpu: BackendProvider = {
  name: "webgpu",
  description: "WebGPU, when @tensorflow/tfjs-backend-webgpu and (in Node) webgpu are installed and there is a GPU",
  hint: "Install it with `pnpm add -w @tensorflow/tfjs-backend-webgpu@4.22.0 webgpu@0.6.2`, or choose another backend.",
  async load() {
    await provideNavigator();
    const gpu = (globalThis.navigator as { gpu?: { requestAdapter(): Promise<unknown> } } | undefined)?.gpu;
    if (!(await gpu?.requestAdapter())) throw new Error("no GPU was found");
    const loaded = await optional<{ version?: string }>("@tensorflow/tfjs-backend-webgpu");
    return { tfName: "webgpu", version: loaded.version ?? "4.22.0" };
  },
};

/** Gives Node the browser's `navigator.gpu`. */
async function provideNavigator(): Promise<void> {
  if ((globalThis.navigator as { gpu?: unknown } | undefined)?.gpu !== undefined) return;
  const dawn = await optional<{ create(options: string[]): unknown; globals: object }>("webgpu");
  Object.assign(globalThis, dawn.globals);
  const navigator = globalThis.navigator ?? {};
  Object.defineProperty(navigator, "gpu", { value: dawn.create([]), configurable: true });
  if (globalThis.navigator === undefined) Object.defineProperty(globalThis, "navigator", { value: navigator });
}

async function optional<Module>(name: string): Promise<Module> {
  try {
    return (await import(name)) as Module;
  } catch (error) {
    throw new Error(isMissing(error, name) ? `${name} is not installed` : `${name} does not load: ${firstLine(error)}`);
  }
}
