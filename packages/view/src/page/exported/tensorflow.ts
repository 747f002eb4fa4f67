/** Takes the place of `@tensorflow/tfjs` in the page: the core with its chained methods. Backends are loaded by themselves. */
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js";

export * from "@tensorflow/tfjs-core";
export const version: Record<string, string> = {};
