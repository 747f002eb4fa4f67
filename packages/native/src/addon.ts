/**
 * The compiled addon. Its kernels take addresses: a tensor's memory belongs to the addon's allocator, not to an
 * ArrayBuffer, so handing a tensor to a kernel costs one number, every buffer is aligned, and the garbage collector has
 * no part in it.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { UserError } from "@mm/run";

/** What a kernel accepts: an address or typed array or null for a pointer, a number or boolean for a number. */
export type NativeArgument = number | boolean | null | Float32Array | Int32Array | Uint8Array | Uint32Array;
/** A C++ kernel (cc/kernel.h); gives its number, or 0. One for the GPU may decline the work, and gives undefined then. */
export interface NativeFunction {
  (...values: NativeArgument[]): number | undefined;
  /** One letter for each parameter: i pointer to what is read, o to what is written, n number. */
  readonly parameters: string;
}

/** Bytes; `fresh` counts the buffers that had to be taken from the system. */
export interface NativeMemory {
  live: number;
  cached: number;
  peak: number;
  fresh: number;
  scratch: number;
}

export interface Addon {
  /** A buffer of at least that many bytes, not cleared. */
  allocate(bytes: number): number;
  /** Gives a buffer back; it is kept for the next tensor of its size. */
  release(address: number): void;
  /** Copies into a buffer: a typed array, or `bytes` bytes at an address of the process. */
  copyIn(address: number, from: Float32Array | Int32Array | Uint8Array): void;
  copyIn(address: number, from: number, bytes: number): void;
  /** Likewise out of a buffer. Waits for the kernels that write it. */
  copyOut(address: number, to: Float32Array | Int32Array | Uint8Array): void;
  copyOut(address: number, to: number, bytes: number): void;
  /** Bytes of a buffer that is in use; 0 for any other address. */
  sizeOf(address: number): number;
  /** Waits until every kernel called so far has run. */
  synchronize(): void;
  memoryUse(): NativeMemory;
  resetPeakMemory(): void;
  /** Returns the buffers that are kept to the system. */
  releaseCache(): void;
  threads(): number;
  setThreads(count: number): void;
  /** "avx512bf16", "avx512", "avx2" or "baseline"; of a GPU its name, driver and library */
  instructionSet(): string;
  readonly kernels: Readonly<Record<string, NativeFunction>>;
}

/** MM_ADDON names another build, such as one with a sanitizer. */
const path = process.env["MM_ADDON"] ?? fileURLToPath(new URL("../build/mm.node", import.meta.url));
let loaded: Addon | undefined;

/** True when the addon has been built for this copy of the package. */
export function isBuilt(): boolean {
  return existsSync(path);
}

/**
 * The addon, loaded once.
 *
 * @throws UserError when it has not been built or does not load here
 */
export function loadAddon(): Addon {
  if (loaded !== undefined) return loaded;
  if (!isBuilt()) {
    throw new UserError("The native kernels are not built on this machine.", {
      hint: "Install g++ (or clang++), then run `node packages/native/scripts/build.js`; or use --backend wasm.",
    });
  }
  try {
    loaded = createRequire(import.meta.url)(path) as Addon;
  } catch (cause) {
    throw new UserError(`The native kernels do not load: ${(cause as Error).message}`, {
      hint: "Run `node packages/native/scripts/build.js`; or use --backend wasm.",
      cause,
    });
  }
  return loaded;
}
