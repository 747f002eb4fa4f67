/** `mm build-dataset babistories` and `mm worker`, typed, against servers on this machine: a story teller, and ourselves. */
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { gpt2Tokenizer, openDataset } from "@mm/data";
import { startRedis, withoutRedis } from "../../data/src/llm/testing/redis-server.js";
import { type RequestBody, StoryServer } from "../../data/src/llm/testing/story-server.js";
import { saveBabblingModel } from "./testing/babbling-model.js";
import { inTemporaryFolder, runMm, startMm } from "./testing/run-mm.js";

/** Few and quick. */
const SMALL = [
  ...["--set", "openings.requests=2", "--set", "names.requests=2", "--set", "limits.backoffSeconds=0.01"],
  ...["--set", "openings.answers=2", "--set", "names.answers=2", "--set", "split.valid=0.1"],
];

function build(server: { url: string }, ...args: string[]): string[] {
  return ["build-dataset", "babistories", "--endpoint", server.url, "--model", "story-teller", ...SMALL, ...args];
}

function expectDone({ code, stderr }: { code: number | null; stderr: string }): void {
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
}

/** The stories of a dataset, in any order. */
function storiesIn(folder: string): string[] {
  const dataset = openDataset(folder);
  const { endOfText } = gpt2Tokenizer().info;
  try {
    return (["train", "valid"] as const).flatMap((split) => {
      const stream = dataset.tokens(split);
      const stories: number[][] = [];
      let story: number[] = [];
      for (let i = 0; i < stream.length; i++) {
        if (stream.at(i) !== endOfText) story.push(stream.at(i));
        else {
          stories.push(story);
          story = [];
        }
      }
      return stories.map((ids) => gpt2Tokenizer().decode(ids));
    });
  } finally {
    dataset.close();
  }
}

describe("building BabiStories at the command line", () => {
  let server: StoryServer;
  beforeEach(async () => {
    server = await StoryServer.start();
  });
  afterEach(() => server.stop());

  it("shows prompts and cost in a dry run, and asks nothing", () =>
    inTemporaryFolder(async (folder) => {
      const prices = ["--set", "prices.prompt=1", "--set", "prices.completion=2"];
      const outcome = await runMm(folder, build(server, "--count", "50", "--dry-run", ...prices));
      expectDone(outcome);
      expect(outcome.stdout).toMatch(/stories +50 requests/);
      expect(outcome.stdout).toMatch(/cost +\d+\.\d\d to \d+\.\d\d/);
      expect(outcome.stdout).toContain("must use the character name");
      expect(server.requests).toBe(0);
      expect(readdirSync(folder)).toEqual([]);
    }));

  it("goes on where it was interrupted, repeats no request, and asks nothing once it is done", () =>
    inTemporaryFolder(async (folder) => {
      const asked = new Map<string, number>();
      const whole = build(server, "--count", "60", "--out", "whole", "--set", "limits.inFlight=4");
      expectDone(await runMm(folder, whole));
      const needed = server.requests;

      const note = ({ prompt, seed }: RequestBody) =>
        asked.set(`${seed} ${prompt}`, (asked.get(`${seed} ${prompt}`) ?? 0) + 1);
      const halfWay = new Promise<void>((resolve) => {
        server.settings = {
          latency: 20,
          onRequest(body, count) {
            note(body);
            if (count <= needed / 2) return;
            // So it cannot be done before it is interrupted.
            server.settings = { onRequest: note, until: new Promise(() => {}) };
            resolve();
          },
        };
      });
      server.requests = 0;
      const cut = build(server, "--count", "60", "--out", "cut", "--set", "limits.inFlight=4");
      const first = startMm(folder, cut);
      await halfWay;
      expect(await first.stop("SIGINT")).toBe(130);
      server.settings = { onRequest: note };
      expect(existsSync(join(folder, "cut/dataset.json"))).toBe(false);
      expectDone(await runMm(folder, cut));
      // Only what was under way at the interruption is asked for again.
      const repeated = [...asked.values()].filter((count) => count > 1).length;
      expect(repeated).toBeLessThanOrEqual(4);
      expect(asked.size).toBe(needed);
      expect(storiesIn(join(folder, "cut")).sort()).toEqual(storiesIn(join(folder, "whole")).sort());

      const again = await runMm(folder, cut);
      expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("Expected no dataset in cut yet")]);
      const before = server.requests;
      expectDone(await runMm(folder, [...cut, "--force"]));
      expect(server.requests).toBe(before);
    }));

  it("explains a key file that others may read, a wrong key and a wrong model, without the key", () =>
    inTemporaryFolder(async (folder) => {
      const key = "sk-do-not-show-this";
      server.settings = { key };
      writeFileSync(join(folder, "key"), key);
      chmodSync(join(folder, "key"), 0o644);
      const open = await runMm(folder, build(server, "--count", "4", "--key-file", "key"));
      expect([open.code, open.stderr]).toEqual([
        2,
        expect.stringContaining("only you can read but key has the permissions 644"),
      ]);
      expect(open.stderr).toContain("chmod 600 key");
      expect(server.requests).toBe(0);

      writeFileSync(join(folder, "wrong"), "sk-wrong-one", { mode: 0o600 });
      const wrong = await runMm(folder, build(server, "--count", "4", "--key-file", "wrong"));
      expect(wrong.code).toBe(2);
      expect(wrong.stderr).toContain("401");
      expect(wrong.stderr + wrong.stdout).not.toContain("sk-wrong-one");

      chmodSync(join(folder, "key"), 0o600);
      const renamed = build(server, "--count", "4", "--key-file", "key", "--set", "endpoint.model=teller-of-stories");
      const unknown = await runMm(folder, renamed);
      expect(unknown.code).toBe(2);
      expect(unknown.stderr).toContain("teller-of-stories");
      expect(unknown.stderr + unknown.stdout).not.toContain(key);
      expect(existsSync(join(folder, "datasets/babistories/dataset.json"))).toBe(false);
    }));

  (withoutRedis === "" ? it : it.skip)(
    `gives the same stories through mm worker and a queue as alone${withoutRedis}`,
    () =>
      inTemporaryFolder(async (folder) => {
        const redis = await startRedis();
        const worker = startMm(folder, ["worker", "--queue", redis.url, "--jobs", "completions", "--concurrency", "4"]);
        try {
          await worker.said(/waiting for completions/);
          expectDone(await runMm(folder, build(server, "--count", "20", "--out", "queued", "--queue", redis.url)));
          expectDone(await runMm(folder, build(server, "--count", "20", "--out", "alone")));
          expect(storiesIn(join(folder, "queued")).sort()).toEqual(storiesIn(join(folder, "alone")).sort());
          expect([0, 130]).toContain(await worker.stop("SIGINT"));
        } finally {
          await worker.stop("SIGKILL");
          redis.process.kill("SIGKILL");
        }
      }),
  );
});

describe("mm serve as the story teller", () => {
  it("closes the circle: a model of ours writes a dataset through the client, and going on asks for nothing again", () =>
    inTemporaryFolder(async (folder) => {
      await saveBabblingModel(join(folder, "babbler.safetensors"));
      writeFileSync(join(folder, "openings.txt"), "Once upon a time\nOne day\n");
      writeFileSync(join(folder, "names.txt"), "Mira\nTom\n");
      const server = startMm(folder, ["serve", "--run", "babbler.safetensors", "--port", "0", "--backend", "wasm"], {
        MM_API_KEY: "",
      });
      try {
        const [, url] = await server.said(/answers at (\S+) /);
        const command = [
          ...["build-dataset", "babistories", "--endpoint", url!, "--model", "babbler", "--count", "24"],
          ...["--set", "openings.file=openings.txt", "--set", "names.file=names.txt", "--set", "split.valid=0.2"],
          ...["--set", "stories.maxTokens=16", "--set", "limits.inFlight=8", "--out", "babbled"],
        ];
        const first = await runMm(folder, command);
        expectDone(first);
        expect(first.stdout).toContain("24 stories written");
        const stories = storiesIn(join(folder, "babbled"));
        expect(stories).toHaveLength(24);
        for (const story of stories) expect(story).toMatch(/^(Once|One)\b.*( the| cat| dog| ran| and|\.)/);
        expect(new Set(stories).size).toBe(24);
        const summary = JSON.parse(readFileSync(join(folder, "babbled/dataset.json"), "utf8")) as object;
        expect(JSON.stringify(summary)).toContain("babbler");

        const metrics = async () => await (await fetch(`${url!.replace("/v1", "")}/metrics`)).text();
        const asked = (text: string) =>
          /mm_requests_total\{route="\/v1\/completions",status="200"\} (\d+)/.exec(text)?.[1];
        expect(asked(await metrics())).toBe("24");
        expectDone(await runMm(folder, [...command, "--force"]));
        expect(asked(await metrics())).toBe("24");
        expect(await server.stop()).toBe(0);
      } finally {
        await server.stop("SIGKILL");
      }
    }));
});
