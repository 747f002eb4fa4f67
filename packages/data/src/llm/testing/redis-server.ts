/** A real Redis server for a test, where there is one. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";

const there = spawnSync("redis-server", ["--version"]).status === 0;
/** For the names of tests that need it. */
export const withoutRedis = there ? "" : " (skipped: no redis-server on the PATH)";

/** Starts it on a free port. */
export async function startRedis(): Promise<{ url: string; process: ChildProcess }> {
  const port = await freePort();
  const redis = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", ""], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  await new Promise<void>((resolve, reject) => {
    redis.on("exit", () => reject(new Error("redis-server ended")));
    redis.stdout!.on("data", (text) => String(text).includes("Ready to accept") && resolve());
  });
  return { url: `redis://127.0.0.1:${port}/0`, process: redis };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
