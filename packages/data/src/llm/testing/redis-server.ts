/** A real Redis server for a test, where there is one. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";

const there = spawnSync("redis-server", ["--version"]).status === 0;
/** For the names of tests that need it. */
export const withoutRedis = there ? "" : " (skipped: no redis-server on the PATH)";

interface RunningRedis {
  readonly url: string;
  readonly process: ChildProcess;
}

/** Starts it on a free port; on another one where somebody else was quicker to take that. */
export async function startRedis(): Promise<RunningRedis> {
  for (let attempt = 1; attempt < 10; attempt++) {
    const redis = await redisOn(await freePort());
    if (redis !== undefined) return redis;
  }
  throw new Error("redis-server ended on each port");
}

function redisOn(port: number): Promise<RunningRedis | undefined> {
  const redis = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", ""], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let output = "";
  return new Promise((resolve) => {
    redis.on("exit", () => resolve(undefined));
    redis.stdout.on("data", (text) => {
      output += text;
      if (output.includes("Ready to accept")) resolve({ url: `redis://127.0.0.1:${port}/0`, process: redis });
    });
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
