import { selectBackend } from "@mm/ops";
import { serveReplica } from "../passes/replica.js";

await serveReplica(selectBackend);
