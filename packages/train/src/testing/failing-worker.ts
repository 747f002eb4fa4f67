import { serveReplica } from "../passes/replica.js";

await serveReplica(() => Promise.reject(new Error("no backend here")));
