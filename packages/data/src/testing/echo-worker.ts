/** For tests of the pool: is busy for that many milliseconds, then answers the number; breaks on a negative one. */
import { parentPort } from "node:worker_threads";

parentPort!.on("message", (milliseconds: number) => {
  if (milliseconds < 0) throw new Error(`no time for ${milliseconds}`);
  // Jobs of one worker are done one after the other, as those that compute are.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
  parentPort!.postMessage(milliseconds);
});
