/** Entries of worker threads for tests. */
export const testReplica = new URL("./replica-worker.js", import.meta.url);
export const failingReplica = new URL("./failing-worker.js", import.meta.url);
