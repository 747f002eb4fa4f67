/** The viewer's answers, over real HTTP. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import type { PositionView, StoredView, TextView } from "./inspector.js";
import type { NewPoints, RunCard } from "./run-list.js";
import { type RunningViewer, serveOnLoopback } from "./server.js";
import { row, sample, smallInspector, smallModels, startRun } from "./testing/small-world.js";
import { createViewer } from "./viewer.js";

let folder: string;
let server: RunningViewer;

beforeAll(async () => {
  await selectBackend("wasm");
  folder = mkdtempSync(join(tmpdir(), "mm-view-"));
  const page = join(folder, "page");
  mkdirSync(join(page, "assets"), { recursive: true });
  writeFileSync(join(page, "index.html"), "<!doctype html>the page");
  writeFileSync(join(page, "assets", "main.js"), "1;");
  writeFileSync(join(folder, "secret.json"), "{}");
  const viewer = createViewer({ page, runs: join(folder, "runs"), ...smallModels() });
  server = await serveOnLoopback(viewer, { host: "127.0.0.1", port: 0 });
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const get = async (path: string) => fetch(`${server.url}${path}`);
const post = async (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
const ask = async <Answer>(question: string, body: object, model = "memory-mosaic") => {
  const response = await post(`api/models/${model}/${question}`, body);
  return { status: response.status, answer: (await response.json()) as Answer };
};

describe("runs", () => {
  const points = async (name: string, cursor = "") =>
    (await (await get(`api/runs/${name}/points?cursor=${cursor}`)).json()) as NewPoints;

  it("are listed with their state, newest first", async () => {
    const run = startRun(join(folder, "runs"), "first");
    const cards = (await (await get("api/runs")).json()) as RunCard[];
    expect(cards).toEqual([
      {
        name: "first",
        status: "running",
        kind: "memory-mosaic",
        dataset: "datasets/letters",
        steps: 100,
        started: "2026-01-01T00:00:00.000Z",
        backend: "wasm",
      },
    ]);
    run.finish();
    expect(((await (await get("api/runs")).json()) as RunCard[])[0]!.status).toBe("finished");
  });

  it("give the points that came since the last question, and wait for a line that is being written", async () => {
    const run = startRun(join(folder, "runs"), "growing");
    expect(await points("growing")).toMatchObject({ cursor: "", restarted: false, curves: {} });
    run.metrics.append([
      row(run, 1, "loss", 3.5),
      row(run, 1, "learningRate", 0.1),
      row(run, 1, "lossByPosition", 9),
      row(run, 1, "gradNorm", Number.NaN),
      row(run, 1, "loss", 3.25, "valid"),
    ]);
    const first = await points("growing");
    expect(first.curves).toEqual({
      "train loss": [[1, 3.5]],
      "train learningRate": [[1, 0.1]],
      "valid loss": [[1, 3.25]],
    });
    const line = JSON.stringify(row(run, 2, "loss", 3));
    appendFileSync(join(run.path, "metrics.jsonl"), line.slice(0, 20));
    expect(await points("growing", first.cursor)).toMatchObject({ cursor: first.cursor, curves: {} });
    appendFileSync(join(run.path, "metrics.jsonl"), `${line.slice(20)}\n`);
    const second = await points("growing", first.cursor);
    expect(second).toMatchObject({ restarted: false, curves: { "train loss": [[2, 3]] } });
    run.finish();
  });

  it("start anew when the run was rewound, even where it has grown as long again", async () => {
    const run = startRun(join(folder, "runs"), "rewound");
    run.metrics.append([row(run, 1, "loss", 3), row(run, 2, "loss", 2)]);
    const { cursor } = await points("rewound");
    run.metrics.rewind(1);
    run.metrics.append([row(run, 2, "loss", 2.5), row(run, 3, "loss", 2.25)]);
    expect(await points("rewound", cursor)).toMatchObject({
      restarted: true,
      curves: {
        "train loss": [
          [1, 3],
          [2, 2.5],
          [3, 2.25],
        ],
      },
    });
    run.finish();
  });
});

describe("the inspector", () => {
  const text = "abcabcab";

  it("answers over HTTP what it answers in this process", async () => {
    const inspector = smallInspector("memory-mosaic");
    expect((await ask("card", {})).answer).toEqual({ ...inspector.card, id: "memory-mosaic" });
    const read = await ask<TextView>("read", { text });
    expect(read.answer).toEqual(JSON.parse(JSON.stringify(await inspector.read(text))));
    expect(read.answer.tokens.map((token) => token.text).join("")).toBe(text);
    expect((await ask("at", { text, position: 5 })).answer).toEqual(await inspector.at(text, 5));
    const place = { branch: 1, head: 1 };
    expect((await ask("stored", { text, position: 5, ...place })).answer).toEqual(
      await inspector.stored(text, 5, place),
    );
    const slot = { bank: 0, index: 3 };
    expect((await ask("uses", { ...place, ...slot })).answer).toEqual(await inspector.uses(place, slot));
  });

  it("shows each head's weights, which add up to 1, and each slot that fires", async () => {
    const { branches } = (await ask<TextView>("read", { text })).answer;
    expect(branches.map(({ kind }) => kind)).toEqual(["contextual", "persistent", "contextual", "persistent"]);
    const view = (await ask<PositionView>("at", { text, position: 6 })).answer;
    for (const [branch, { kind }] of branches.entries())
      for (const { weights, slots, words } of view[branch]!) {
        expect(words.length).toBe(5);
        if (kind === "persistent") {
          const fired = slots!.map(({ weight }) => weight);
          expect(fired).toEqual([...fired].sort((a, b) => b - a));
          expect(fired[0]).toBeGreaterThanOrEqual(1 / 12);
        } else expect(weights!.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 3);
      }
    const stored = (await ask<StoredView[]>("stored", { text, position: 6, branch: 0, head: 0 })).answer;
    expect(stored.map(({ weight }) => weight)).toEqual(
      [...view[0]![0]!.weights!]
        .filter((weight) => weight > 0)
        .sort((a, b) => b - a)
        .slice(0, 8),
    );
  });

  it("shows places of the sample where a slot fires", async () => {
    const { answer } = await ask<{ before: string; token: string; after: string }[]>("uses", {
      branch: 1,
      head: 0,
      bank: 0,
      index: 0,
    });
    expect(answer.length).toBe(6);
    const texts = sample.map((tokens) => tokens.map((token) => "abcdefghijk"[token]).join(" "));
    for (const { before, token, after } of answer)
      expect(texts.some((each) => each.includes([before, token, after].filter(Boolean).join(" ")))).toBe(true);
  });

  it("writes piece by piece, the same for the same seed", async () => {
    const body = { prompt: "abc", tokens: 12, temperature: 1, topP: 1, seed: 7 };
    const written = async (settings: object) =>
      (await (await post("api/models/gpt2/write", { ...body, ...settings })).text())
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as string)
        .join("");
    const first = await written({});
    expect(first.length).toBe(12);
    expect(await written({})).toBe(first);
    expect(await written({ seed: 8 })).not.toBe(first);
  });

  it("says in a sentence what is wrong with a question", async () => {
    expect(await ask("at", { text, position: 99 })).toEqual({
      status: 400,
      answer: { error: "Expected a position from 0 to 7, found 99." },
    });
    expect((await ask("read", { text: 5 })).answer).toEqual({ error: "Expected text in text, found number." });
    expect((await ask("read", { text: "xyz" })).answer).toMatchObject({ error: expect.stringContaining("symbols") });
    expect((await ask("write", { prompt: "a", tokens: 1e9, temperature: 0, topP: 1, seed: 0 })).status).toBe(400);
    expect((await ask("forget", {})).status).toBe(404);
    expect((await ask("read", { text }, "nobody")).status).toBe(404);
  });
});

describe("strangers", () => {
  it("find the page and its files, and nothing beside them", async () => {
    expect(await (await get("")).text()).toContain("the page");
    expect((await get("view/assets/main.js")).headers.get("content-type")).toContain("text/javascript");
    expect(await (await get("source.json")).json()).toEqual({ kind: "live" });
    for (const path of [
      "..%2fsecret.json",
      "assets/..%2f..%2fsecret.json",
      "secret.json",
      "api/runs/..%2f..%2f/points",
      "%zz/x",
    ])
      expect((await get(path)).status).toBeGreaterThanOrEqual(400);
  });

  it("may not ask in forms, in other encodings, at length or under another name", async () => {
    const path = "api/models/gpt2/read";
    expect((await post(path, "text=abc", { "content-type": "application/x-www-form-urlencoded" })).status).toBe(415);
    expect((await post(path, "{not json")).status).toBe(400);
    expect((await post(path, "[]")).status).toBe(400);
    expect((await post(path, { text: "a".repeat(300_000) })).status).toBe(413);
    expect((await fetch(`${server.url}${path}`, { method: "PUT", body: "x" })).status).toBe(405);
    const status = await new Promise((resolve) => {
      const { port } = new URL(server.url);
      request({ port, host: "127.0.0.1", headers: { host: "evil.example" } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).end();
    });
    expect(status).toBe(403);
  });

  it("are not served: the viewer listens on loopback alone", async () => {
    const viewer = async () => new Response("");
    await expect(serveOnLoopback(viewer, { host: "0.0.0.0", port: 0 })).rejects.toThrow("Expected a loopback address");
    const { port } = new URL(server.url);
    await expect(serveOnLoopback(viewer, { host: "127.0.0.1", port: Number(port) })).rejects.toThrow("Cannot listen");
  });
});
