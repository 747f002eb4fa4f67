export { type Addon, isBuilt, loadAddon, type NativeMemory } from "./addon.js";
export { NativeBackend, type Precision } from "./backend.js";
export { benchedProducts, benchKernels, type KernelBench, type KernelSpeed } from "./bench.js";
export { cudaProvider, registerCuda } from "./cuda/provider.js";
export { KernelProfile, type KernelTime } from "./profile.js";
export { backendName, nativeProvider, registerNative } from "./provider.js";
