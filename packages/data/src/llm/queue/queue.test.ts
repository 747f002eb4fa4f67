import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { startChild } from "../../../../run/src/testing/child-process.js";
import { temporaryFolder } from "../../../../run/src/testing/temporary-folder.js";
import type { CompletionRequest } from "../completion.js";
import { generateAll } from "../generate.js";
import { Journal } from "../journal.js";
import { Tally } from "../tally.js";
import { endpointAt, quickLimits, request } from "../testing/requests.js";
import { StoryServer } from "../testing/story-server.js";
import { parseRedisUrl } from "./connection.js";
import { queueExecutor } from "./dispatch.js";

const haveRedis = spawnSync("redis-server", ["--version"]).status === 0;
/** The reason stands in the name of the skipped tests. */
const withRedis = haveRedis ? describe : describe.skip;

describe("the address of a queue", () => {
  it("is that of a Redis server", () => {
    expect(parseRedisUrl("redis://user:p%40ss@host:7000/3")).toEqual({
      host: "host",
      port: 7000,
      db: 3,
      username: "user",
      password: "p@ss",
    });
    expect(parseRedisUrl("rediss://host")).toMatchObject({ port: 6379, tls: {} });
  });

  it("is not repeated when it is wrong, since it may hold a password", () => {
    expect(() => parseRedisUrl("http://user:secret@host")).toThrow(/^(?!.*secret).*redis:\/\/localhost/);
  });

  it("is checked before anything else happens", async () => {
    const settings = { run: "r", endpoint: endpointAt("http://127.0.0.1:9/v1"), limits: quickLimits() };
    await expect(queueExecutor({ ...settings, url: `redis://127.0.0.1:${await freePort()}` })).rejects.toThrow(
      /Expected Redis at 127.0.0.1:\d+ but could not use it/,
    );
  });
});

withRedis(`two workers on a queue${haveRedis ? "" : " (skipped: no redis-server on the PATH)"}`, () => {
  let url: string;
  let redis: ReturnType<typeof spawn>;
  let server: StoryServer;
  beforeAll(async () => {
    const port = await freePort();
    const folder = temporaryFolder();
    redis = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    await new Promise<void>((resolve, reject) => {
      redis.on("exit", () => reject(new Error("redis-server ended")));
      redis.stdout!.on("data", (text) => String(text).includes("Ready to accept") && resolve());
    });
    url = `redis://127.0.0.1:${port}/0`;
    server = await StoryServer.start({ latency: 5, faults: { "500": 0.05, reset: 0.05, refusal: 0.05 } });
  });
  afterAll(async () => {
    redis.kill("SIGKILL");
    await server.stop();
  });
  let closers: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of closers.reverse()) await close();
    closers = [];
  });

  const startWorker = () =>
    startChild(`
      import { runWorker } from ${JSON.stringify(new URL("./worker.ts", import.meta.url).href)};
      import { completionJobs } from ${JSON.stringify(new URL("./completion-jobs.ts", import.meta.url).href)};
      let done = 0;
      await runWorker({
        url: ${JSON.stringify(url)},
        kinds: [completionJobs],
        concurrency: 8,
        key: {},
        deadAfter: 2000,
        signal: new AbortController().signal,
        onReady: () => console.log("ready"),
        onJob: () => console.log("job " + ++done),
      });`);

  const requests = (count: number): CompletionRequest[] => Array.from({ length: count }, (_, id) => request(id));

  async function open(path: string) {
    const executor = await queueExecutor({
      url,
      run: "corpus-stories",
      endpoint: endpointAt(server.url),
      limits: quickLimits(),
    });
    const journal = new Journal(path, {});
    closers.push(
      () => executor.close(),
      () => journal.close(),
    );
    return { executor, journal };
  }

  it("answer every request once, although one worker is killed and the dispatcher starts anew", async () => {
    const count = 300;
    const path = join(temporaryFolder(), "stories.journal");
    const all = { requests: () => requests(count), tally: new Tally(), rounds: 2 };
    const workers = [startWorker(), startWorker()];
    await Promise.all(workers.map((worker) => worker.printed("ready")));

    const stop = new AbortController();
    const first = await open(path);
    const interrupted = generateAll(first.executor, {
      ...all,
      journal: first.journal,
      signal: stop.signal,
      onProgress: () => first.journal.count >= 60 && stop.abort(),
    });
    await expect(interrupted).rejects.toThrow(/Interrupted/);
    for (const close of closers.reverse()) await close();
    closers = [];

    const second = await open(path);
    let killed = false;
    await generateAll(second.executor, {
      ...all,
      journal: second.journal,
      onProgress: () => {
        if (killed || second.journal.count < 150 || !workers[0]!.output().includes("job 20")) return;
        killed = workers[0]!.process.kill("SIGKILL");
      },
    });
    expect(killed).toBe(true);
    await workers[0]!.ended;
    expect(second.journal.count).toBe(count);
    const texts = requests(count).map(({ id }) => second.journal.read(id)!.texts[0]);
    expect(new Set(texts).size).toBe(count);
    // Both took part, and nothing of this corpus stays in Redis.
    for (const worker of workers) expect(worker.output()).toContain("job 20");
    expect(left(url)).toEqual([]);
  }, 120_000);
});

/** Keys of jobs that are still in Redis. */
function left(url: string): string[] {
  const { stdout } = spawnSync("redis-cli", ["-u", url, "--raw", "keys", "bull:*:corpus-stories-*"], {
    encoding: "utf8",
  });
  return stdout.split("\n").filter((line) => line !== "");
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
