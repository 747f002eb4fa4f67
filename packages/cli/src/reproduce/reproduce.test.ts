import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { isUserError, parseConfig } from "@mm/run";
import { TrainConfig } from "@mm/train";
import { loadBackend } from "../load-backend.js";
import { openRecipe, recipes } from "../recipes.js";
import { trainingCost } from "./cost.js";
import { type PartName, parts, placeOf, tasksOf } from "./parts.js";
import { reproduce } from "./reproduce.js";
import { type ScaleName, scales } from "./scales.js";
import { moonsTask } from "./tasks.js";

const names = Object.keys(parts) as PartName[];
const silent = { line() {}, progress: () => ({ update() {}, finish() {} }), close() {} };

describe("the plan", () => {
  it.each(Object.keys(scales) as ScaleName[])("names each piece of work at scale %s once", (scale) => {
    const tasks = tasksOf(names, placeOf(scale)).map(({ name }) => name);
    expect(new Set(tasks).size).toBe(tasks.length);
    expect(tasks.length).toBeGreaterThan(20);
  });

  it("trains at paper scale what the recipes of the paper say", () => {
    const tasks = tasksOf(["babistories"], placeOf("paper"));
    const twelve = tasks.find(({ name }) => name === "stories-mosaic-12");
    // 80,000 steps of 512 windows of 512 tokens.
    expect(twelve?.cost?.tokens).toBe(80_000 * 512 * 512);
    expect(tasks.filter(({ cost }) => cost !== undefined)).toHaveLength(8);
  });

  it("counts operations as six for each parameter and token, and those of the reads", () => {
    const config = parseConfig(
      TrainConfig,
      {
        dataset: "x",
        model: { kind: "gpt2", vocabulary: 10, contextLength: 4, blocks: 1, heads: 1, width: 2 },
        steps: 3,
        batch: 5,
        accumulation: 1,
      },
      { source: "test" },
    );
    const { parameters, tokens, flops } = trainingCost(config);
    // Embeddings 20 + 8; attention 12 + 4, MLP 16 + 16, three layer norms of 2.
    expect(parameters).toBe(82);
    expect(tokens).toBe(60);
    expect(flops).toBe(6 * (82 + 4 * 2) * 60);
  });
});

describe("the recipes of this reproduction", () => {
  it.each(recipes().filter(({ name }) => /^(paper|laptop)\//.test(name)))(
    "$name is a whole configuration",
    ({ name }) => {
      expect(() => parseConfig(TrainConfig, openRecipe(name), { source: name })).not.toThrow();
    },
  );
});

describe("a reproduction", () => {
  const before = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), "reproduce-"));
  beforeAll(() => process.chdir(folder));
  afterAll(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });

  it("does what is missing, and on the second time nothing", async () => {
    const backend = await loadBackend({ backend: "wasm" });
    const surroundings = { backend, reporter: silent, signal: new AbortController().signal };
    const place = placeOf("tiny");
    const small = { iterations: 2, batch: 1, block: 64, evaluation: { windows: 1, longestPrompt: 8, promptStep: 4 } };
    const task = moonsTask(place.runs, "three-moons-1-head", { ...small, memory: { heads: 1, features: 6 } });
    expect(task.done()).toBe(false);
    await task.run(surroundings);
    expect(task.done()).toBe(true);

    const table = await reproduce(["table1"], "tiny", surroundings);
    expect(table).toMatchObject({ done: [place.stories], skipped: [] });
    expect(await reproduce(["table1"], "tiny", surroundings)).toMatchObject({ done: [], skipped: [place.stories] });
  });

  it("refuses to take a run of other settings for its own", () => {
    const place = placeOf("tiny");
    const other = moonsTask(place.runs, "three-moons-1-head", { iterations: 3 });
    expect(() => other.done()).toThrow("made with another one");
    try {
      other.done();
    } catch (error) {
      expect(isUserError(error)).toBe(true);
    }
  });

  it("stops before the next piece of work once it is interrupted", async () => {
    const signal = AbortSignal.abort();
    const backend = await loadBackend({ backend: "wasm" });
    await expect(reproduce(["regbench"], "tiny", { backend, reporter: silent, signal })).rejects.toThrow("Interrupted");
  });
});
