/**
 * Lets a plain Node process run the TypeScript sources, for tests that start (and kill) a real process:
 *
 *   node --conditions=mm-src --import ./scripts/typescript-loader.js script.ts
 *
 * Worker threads bring the same hooks along themselves.
 */
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";

if (isMainThread) register("../packages/run/src/workers/typescript-loader.mjs", import.meta.url);
