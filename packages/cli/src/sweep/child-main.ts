/** `mm` as the child of another one: it saves its work and ends when its parent is gone, even when that was killed. */
import { main } from "../main.js";

process.once("disconnect", () => process.kill(process.pid, "SIGINT"));
process.channel?.unref();
await main(process.argv.slice(2));
