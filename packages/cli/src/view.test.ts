/** Looking at models in a browser: the viewer served, and a page exported. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { createModel, ModelConfig, saveWeights } from "@mm/models";
import { selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";
import { inTemporaryFolder, runMm, startMm } from "./testing/run-mm.js";

beforeAll(async () => {
  await selectBackend("cpu");
});

/** Random weights with GPT-2's tokens. */
async function saveTiny(path: string): Promise<void> {
  const sizes = { vocabulary: 50257, contextLength: 32, blocks: 1, heads: 2, width: 8, slots: 4 };
  const model = createModel(ModelConfig.parse({ kind: "memory-mosaic", ...sizes }), Rng.fromSeed(1));
  await saveWeights(model, path);
  model.dispose();
}

/** Starts a server that says where it listens, and stops it after the work. */
async function whileServing(folder: string, args: readonly string[], work: (url: string) => Promise<void>) {
  const server = startMm(folder, [...args, "--port", "0", "--backend", "wasm"]);
  try {
    const [url] = await server.said(/http:\/\/[\d.]+:\d+(?=\D)/);
    await work(url);
    expect(await server.stop()).toBe(0);
  } finally {
    await server.stop("SIGKILL");
  }
}

const read = async (url: string, id: string) =>
  (await (
    await fetch(`${url}/api/models/${id}/read`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text: "Once upon a time" }),
    })
  ).json()) as { tokens: { text: string }[] };

describe.each([
  ["mm view", ["view"], ""],
  ["mm serve", ["serve"], "/view"],
])("%s", (_name, command, below) => {
  it("shows the page, and lets it look into the model, until it is told to stop", () =>
    inTemporaryFolder(async (folder) => {
      await saveTiny(join(folder, "tiny.safetensors"));
      await whileServing(folder, [...command, "--run", "tiny.safetensors"], async (origin) => {
        const url = `${origin}${below}`;
        expect(await (await fetch(`${url}/`)).text()).toContain("<title>mm");
        expect(await (await fetch(`${url}/api/models`)).json()).toEqual([
          { id: "tiny.safetensors", name: "tiny", kind: "" },
        ]);
        const { tokens } = await read(url, "tiny.safetensors");
        expect(tokens.map(({ text }) => text)).toEqual(["Once", " upon", " a", " time"]);
      });
    }));
});

describe("mm view", () => {
  it("says what is wrong before it listens", async () => {
    await inTemporaryFolder(async (folder) => {
      const missing = await runMm(folder, ["view", "--run", "nowhere", "--backend", "wasm"]);
      expect(missing.code).toBe(2);
      expect(missing.stderr).toContain("Expected a run in nowhere");
      const open = await runMm(folder, ["view", "--host", "0.0.0.0", "--backend", "wasm"]);
      expect(open.code).toBe(2);
      expect(open.stderr).toContain("loopback");
    });
  });
});

describe("mm export web", () => {
  it("writes a folder that any web server shows, once", () =>
    inTemporaryFolder(async (folder) => {
      await saveTiny(join(folder, "tiny.safetensors"));
      const command = ["export", "web", "--run", "tiny.safetensors", "--backend", "wasm", "--json"];
      const { code, stdout } = await runMm(folder, command);
      expect(code).toBe(0);
      const { out, bytes } = JSON.parse(stdout);
      expect(out).toBe("tiny-web");
      const { models } = JSON.parse(readFileSync(join(folder, out, "source.json"), "utf8"));
      const [{ tokenizer, shards }] = models;
      expect(tokenizer).toMatchObject({ name: "gpt2", vocabulary: 50257 });
      expect(shards).toEqual([{ file: "weights/m0-000.bin", bytes }]);
      expect(existsSync(join(folder, out, "index.html"))).toBe(true);
      const again = await runMm(folder, command);
      expect(again.code).toBe(2);
      expect(JSON.parse(again.stdout).error.hint).toContain("--force");
    }));
});
