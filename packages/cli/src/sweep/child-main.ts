/** `mm` as the child of another one: it saves its work and ends when its parent is gone, even when that was killed. */
process.once("disconnect", () => process.kill(process.pid, "SIGINT"));
process.channel?.unref();
// Loaded only now: while that takes its time, the parent may go unnoticed.
const { main } = await import("../main.js");
await main(process.argv.slice(2));
