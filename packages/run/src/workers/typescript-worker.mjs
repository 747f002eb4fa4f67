/** The entry of a worker thread when the package runs from source: lets Node import TypeScript, then runs the worker. */
import { register } from "node:module";
import { workerData } from "node:worker_threads";

register("./typescript-loader.mjs", import.meta.url);
await import(workerData.entry);
