/** Identity that shares its data: the tape saves tensors through it, and the stock kernel copies each of them. */
import { replaceWasmKernel } from "./heap.js";

export function registerIdentity(): void {
  replaceWasmKernel("Identity", (heap, { x }) => heap.share(x!));
}
