/** A server in a process of its own: its settings are its argument; its parent learns its address and what it holds. */
import { selectBackend } from "@mm/ops";
import { startServer } from "../server.js";
import { servedTinyModel } from "./tiny-model.js";

await selectBackend("wasm");
const model = servedTinyModel();
const server = await startServer(model, {
  ...{ host: "127.0.0.1", port: 0, overflow: "stream", limits: {} },
  ...JSON.parse(process.argv[2]!),
});
process.on("SIGTERM", async () => {
  await server.stop(600);
  process.exit(0);
});
process.on("message", () => process.send!({ openStates: model.openStates() }));
process.send!({ url: server.url });
