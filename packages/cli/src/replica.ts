/** A worker thread that computes with a copy of the model in training. */
import { serveReplica } from "@mm/train";
import { loadBackend } from "./load-backend.js";

await serveReplica((backend, options) => loadBackend({ backend, ...options }));
