/**
 * Starts worker threads the same way from the build, from source and in tests: a worker's entry is named by the URL of
 * its compiled file; where that does not exist, the TypeScript file beside it is run through a loader.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

/** @param entry for example `new URL("./encode-worker.js", import.meta.url)` */
export function spawnWorker(entry: URL): Worker {
  if (existsSync(fileURLToPath(entry))) return new Worker(entry);
  const source = entry.href.replace(/\.js$/, ".ts");
  return new Worker(new URL("./typescript-worker.mjs", import.meta.url), { workerData: { entry: source } });
}
