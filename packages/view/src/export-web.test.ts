/** An exported page computes in the browser what this process computes. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createModel, ModelConfig } from "@mm/models";
import { selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";

import { exportWeb, type WebModel } from "./export-web.js";
import { LocalInspector } from "./local-inspector.js";
import { gpt2Tokenizer } from "./page/exported/gpt2-tokenizer.js";
import { builtPage } from "./testing/built-page.js";
import { type Browser, chromiumPath, launchChromium, launchWithWebGpu, openPage } from "./testing/chromium.js";

const GPT2 = { name: "gpt2", vocabulary: 50257, endOfText: 50256 };
const PROMPT = "Once upon a time, the café’s <|endoftext|> hen";
const settings = { tokens: 12, temperature: 0, topP: 1, seed: 1 };

/** Random weights with GPT-2's tokens. */
function webModel(kind: "memory-mosaic" | "gpt2"): WebModel {
  const sizes = { vocabulary: 50304, contextLength: 64, blocks: 2, heads: 2, width: 8 };
  const model = createModel(ModelConfig.parse({ kind, ...sizes }), Rng.fromSeed(2).fork(kind));
  const sample = [Array.from({ length: 30 }, (_, i) => (i * 997) % 50257)];
  return { name: `tiny ${kind}`, model, tokenizer: GPT2, sample };
}

let folder: string;

beforeAll(async () => {
  await selectBackend("wasm");
  folder = mkdtempSync(join(tmpdir(), "mm-view-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the folder", () => {
  const page = () => {
    const path = join(folder, "page");
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, "index.html"), "the page");
    return path;
  };

  it("holds the page, the weights whole and in order, and what they mean", async () => {
    const web = webModel("memory-mosaic");
    const out = join(folder, "whole");
    const bytes = await exportWeb(out, page(), [web]);
    const { kind, models } = JSON.parse(readFileSync(join(out, "source.json"), "utf8"));
    expect(kind).toBe("exported");
    const [{ shards, tensors, config }] = models;
    expect(config).toEqual(web.model.config);
    const read = Buffer.concat(shards.map(({ file }: { file: string }) => readFileSync(join(out, file))));
    expect(read.length).toBe(bytes);
    let at = 0;
    for (const { name } of tensors) {
      const expected = web.model.variables()[name]!.dataSync();
      expect(new Float32Array(read.buffer, read.byteOffset + at, expected.length)).toEqual(expected);
      at += expected.byteLength;
    }
    expect(at).toBe(bytes);
    web.model.dispose();
  });

  it("is shown by the server in it, which nothing that is asked can stop", async () => {
    const out = join(folder, "shown");
    await exportWeb(out, page(), []);
    const server = spawn(process.execPath, [join(out, "serve.mjs"), "0"], {
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    const url: string = await new Promise((resolve) =>
      server.stdout.once("data", (line) => resolve(String(line).trim())),
    );
    const ask = async (path: string) => {
      const response = await fetch(`${url}${path}`);
      return [response.status, await response.text()];
    };
    try {
      for (const path of ["%ff", "..%2f..%2fetc/passwd", "weights"]) expect(await ask(path)).toEqual([404, ""]);
      for (const path of ["?a=b", "/"]) expect(await ask(path)).toEqual([200, "the page"]);
    } finally {
      server.kill();
    }
  });

  it("is never half there, and replaces only its like", async () => {
    const web = webModel("gpt2");
    const out = join(folder, "again");
    await exportWeb(out, page(), [web]);
    await expect(exportWeb(out, page(), [web])).rejects.toThrow("Expected no folder");
    await exportWeb(out, page(), [web], { force: true });
    const mine = join(folder, "mine");
    mkdirSync(mine);
    await expect(exportWeb(mine, page(), [web], { force: true })).rejects.toThrow("found something else");
    await expect(exportWeb(join(folder, "none"), join(folder, "no-page"), [web])).rejects.toThrow();
    expect(existsSync(join(folder, "none"))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.includes(".tmp-"))).toEqual([]);
    web.model.dispose();
  });
});

const inBrowser = chromiumPath === undefined ? describe.skip : describe;

inBrowser("an exported page (skipped where no Chromium is found; MM_CHROMIUM may name one)", () => {
  let browser: Browser;
  let url: string;
  let stop: () => void;
  const expected: string[] = [];

  beforeAll(async () => {
    const out = join(folder, "exported");
    const models = [webModel("memory-mosaic"), webModel("gpt2")];
    await exportWeb(out, await builtPage(), models);
    for (const { name, model, sample } of models) {
      const inspector = new LocalInspector({ id: name, name, model, sample, tokenizer: gpt2Tokenizer(GPT2) });
      let text = "";
      for await (const piece of inspector.write(PROMPT, settings, new AbortController().signal)) text += piece;
      expected.push(text);
      inspector.dispose();
    }
    const server = spawn(process.execPath, [join(out, "serve.mjs"), "0"], {
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    stop = () => server.kill();
    url = await new Promise((resolve) => server.stdout.once("data", (line) => resolve(String(line).trim())));
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    stop?.();
  });

  it("writes on WebAssembly the tokens that this process writes, for both kinds of model", async () => {
    expect(await writtenOn("wasm", browser, settings.tokens)).toEqual(expected);
  });

  it("writes the same on WebGPU (computed in software; skipped where that does not start)", async () => {
    const withGpu = await launchWithWebGpu();
    try {
      if (withGpu === undefined || !(await hasWebGpu(withGpu))) {
        process.stderr.write("No WebGPU here: what an exported page writes on it was not compared.\n");
        return;
      }
      const written = await writtenOn("webgpu", withGpu, 3);
      for (const [model, text] of written.entries())
        expect(expected[model]!.startsWith(text!) && text !== "").toBe(true);
    } finally {
      await withGpu?.close();
    }
  });

  it("looks into the models without a server", async () => {
    const { page, complaints } = await openPage(browser, `${url}?backend=wasm#inspect`);
    await page.waitForSelector(".column.active .detail mark");
    expect(await page.locator("header .place").textContent()).toContain("wasm");
    await page.keyboard.press("ArrowLeft");
    expect(await page.locator(".column:visible").count()).toBe(2);
    await page.keyboard.press("u");
    for (let press = 0; press < 2; press++) await page.keyboard.press("ArrowDown");
    await page.waitForSelector(".column.active .uses mark");
    expect(complaints).toEqual([]);
    await page.close();
  });

  async function hasWebGpu(withGpu: Browser): Promise<boolean> {
    const { page } = await openPage(withGpu, url);
    return page.evaluate(async () => {
      const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<unknown> } };
      return Boolean(await gpu?.requestAdapter());
    });
  }

  /** What both models write, typed in the page. */
  async function writtenOn(backend: string, where: Browser, tokens: number): Promise<(string | null)[]> {
    const { page, complaints } = await openPage(where, `${url}?backend=${backend}#write`);
    await page.locator("textarea").fill(PROMPT);
    await page.getByLabel("tokens", { exact: true }).fill(String(tokens));
    await page.getByLabel("temperature", { exact: true }).fill("0");
    await page.getByLabel("top-p", { exact: true }).fill("1");
    await page.getByRole("button", { name: "Write", exact: true }).click();
    await page.waitForSelector(".story");
    await page.waitForFunction(() => document.querySelector("button.main")?.textContent === "Write");
    const written = await page.locator(".added").evaluateAll((all) => all.map((each) => each.textContent));
    expect(await page.locator("header .place").textContent()).toContain(backend);
    expect(complaints).toEqual([]);
    await page.close();
    return written;
  }

  it("opened as a file, says how to open it", async () => {
    const page = await browser.newPage();
    await page.goto(`file://${join(folder, "exported", "index.html")}`);
    expect(await page.locator("body").textContent()).toContain("node serve.mjs");
    await page.close();
  });
});
