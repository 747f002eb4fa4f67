import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { startChild } from "../../../../run/src/testing/child-process.js";
import { temporaryFolder } from "../../../../run/src/testing/temporary-folder.js";
import type { CompletionRequest } from "../completion.js";
import { generateAll } from "../generate.js";
import { Journal } from "../journal.js";
import { Tally } from "../tally.js";
import { startRedis, withoutRedis } from "../testing/redis-server.js";
import { endpointAt, quickLimits, request } from "../testing/requests.js";
import { type RequestBody, StoryServer, type StoryServerSettings } from "../testing/story-server.js";
import { parseRedisUrl } from "./connection.js";
import { queueExecutor } from "./dispatch.js";

/** The reason stands in the name of the skipped tests. */
const withRedis = withoutRedis === "" ? describe : describe.skip;

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
    await expect(queueExecutor({ ...settings, url: "redis://127.0.0.1:9" })).rejects.toThrow(
      /Expected Redis at 127.0.0.1:\d+ but could not use it/,
    );
  });
});

withRedis(`two workers on a queue${withoutRedis}`, () => {
  let url: string;
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let server: StoryServer;
  beforeAll(async () => {
    redis = await startRedis();
    url = redis.url;
    server = await StoryServer.start();
  });
  afterAll(async () => {
    redis.process.kill("SIGKILL");
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
        deadAfter: 5000,
        signal: new AbortController().signal,
        onReady: () => console.log("ready"),
        onJob: () => console.log("job " + ++done),
      });`);

  const requests = (count: number): CompletionRequest[] => Array.from({ length: count }, (_, id) => request(id));

  async function open(path: string, at = server.url) {
    const executor = await queueExecutor({
      url,
      run: "corpus-stories",
      endpoint: endpointAt(at),
      limits: quickLimits(),
    });
    const journal = new Journal(path, {});
    closers.push(
      () => executor.close(),
      () => journal.close(),
    );
    return { executor, journal };
  }

  it("are waited for by nobody once the dispatcher is closed, also in the middle of a sweep", async () => {
    const dispatcher = startChild(`
      import { spawnSync } from "node:child_process";
      import { queueExecutor } from ${JSON.stringify(new URL("./dispatch.ts", import.meta.url).href)};
      import { endpointAt, quickLimits } from ${JSON.stringify(new URL("../testing/requests.ts", import.meta.url).href)};
      const executor = await queueExecutor({
        url: ${JSON.stringify(url)},
        run: "closed",
        endpoint: endpointAt("http://127.0.0.1:9/v1"),
        limits: quickLimits(),
      });
      spawnSync("redis-cli", ["-u", ${JSON.stringify(url)}, "client", "pause", "4000", "ALL"]);
      setTimeout(() => executor.close().then(() => console.log("closed")), 3000);`);
    await dispatcher.printed("closed");
    await dispatcher.ended;
  });

  it("ask the server of now, not the one for which an earlier dispatcher left requests", async () => {
    const path = join(temporaryFolder(), "stories.journal");
    const all = { requests: () => requests(5), tally: new Tally(), rounds: 1 };
    const stop = new AbortController();
    const first = await open(path, "http://127.0.0.1:9/v1");
    const left = generateAll(first.executor, { ...all, journal: first.journal, signal: stop.signal });
    while (jobsLeft(url).length < 5) await sleep(20);
    stop.abort();
    await expect(left).rejects.toThrow(/Interrupted/);
    for (const close of closers.reverse()) await close();
    closers = [];

    const second = await open(path);
    const worker = startWorker();
    await generateAll(second.executor, { ...all, journal: second.journal });
    expect(second.journal.count).toBe(5);
    worker.process.kill("SIGKILL");
    await worker.ended;
  });

  it("answer every request once, although one worker is killed and the dispatcher starts anew", async () => {
    const count = 300;
    let goOn = () => {};
    const killed = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const faulty: StoryServerSettings = { latency: 5, faults: { "500": 0.05, reset: 0.05, refusal: 0.05 } };
    const onRequest = (_: RequestBody, asked: number) => {
      // Much is left to do when a worker is killed, however slow this process is.
      if (asked === 230) server.settings = { ...faulty, until: killed };
    };
    server.settings = { ...faulty, onRequest };
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
    const killOne = async () => {
      const busy = () => workers.find((worker) => worker.output().includes("job 20\n"));
      while (second.journal.count < 150 || busy() === undefined) await sleep(5);
      const victim = busy()!;
      victim.process.kill("SIGKILL");
      await victim.ended;
      goOn();
    };
    await Promise.all([generateAll(second.executor, { ...all, journal: second.journal }), killOne()]);
    expect(second.journal.count).toBe(count);
    const texts = requests(count).map(({ id }) => second.journal.read(id)!.texts[0]);
    expect(new Set(texts).size).toBe(count);
    // Both took part, and nothing of this corpus stays in Redis.
    for (const worker of workers) expect(worker.output()).toContain("job 20");
    expect(jobsLeft(url)).toEqual([]);
  });
});

/** Keys of jobs that are still in Redis. */
function jobsLeft(url: string): string[] {
  const { stdout } = spawnSync("redis-cli", ["-u", url, "--raw", "keys", "bull:*:corpus-stories-*"], {
    encoding: "utf8",
  });
  return stdout.split("\n").filter((line) => line !== "");
}
