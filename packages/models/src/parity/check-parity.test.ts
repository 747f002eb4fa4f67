/**
 * Fidelity to the published code. The golden numbers were computed with the authors' published code in float64; the
 * folder holds the smallest of them, some without the gradients of matrices.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { mosaicConfig } from "./authors-config.js";
import { checkParity, type ParityResult } from "./check-parity.js";
import { openFixture, readIndex } from "./fixture.js";
import { languageModelParity } from "./language-model.js";
import { isWithin } from "./measure.js";

const folder = fileURLToPath(new URL("fixtures", import.meta.url));
const temporary = mkdtempSync(join(tmpdir(), "parity-"));
afterAll(() => rmSync(temporary, { recursive: true }));

async function all(results: AsyncIterable<ParityResult>): Promise<ParityResult[]> {
  const list: ParityResult[] = [];
  for await (const result of results) list.push(result);
  return list;
}

const files = readIndex(folder).map(({ file }) => file);
/** The plain backend is slow: there, the one-block models and the inner values cover all operations. */
const cheap = files.filter((file) =>
  /mm_h|mm_i|mm_a_intermediates|gpt2|transformer|retnet|gla|rwkv|lstm|three_moons/.test(file),
);

describe.each([
  ["wasm", files],
  ["cpu", cheap],
])("on the %s backend", (backend, names) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  it.each(names)("%s agrees with the authors' code", async (file) => {
    const before = tf.memory().numTensors;
    const [result, ...others] = await all(checkParity(folder, { filter: (name) => name === file }));
    expect(others).toEqual([]);
    expect(result).toMatchObject({ file, backend, status: "passed" });
    expect(result!.measures.length).toBeGreaterThan(0);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("the check itself", () => {
  beforeAll(async () => {
    await selectBackend("wasm");
  });

  const entry = readIndex(folder).find(({ file }) => file.startsWith("mm_i"))!;
  const fixture = openFixture(folder, entry);
  const failing = async (config: Parameters<typeof languageModelParity>[0]) =>
    (await languageModelParity(config)(fixture))
      .filter((measure) => !isWithin(measure))
      .map(({ quantity }) => quantity);

  it("notices a model with another peek", async () => {
    expect(await failing((given) => ({ ...mosaicConfig(given), peekShift: 1 }))).toEqual([
      "logits",
      "loss",
      "gradient",
    ]);
  });

  it("notices a norm in the wrong place", async () => {
    expect(await failing((given) => ({ ...mosaicConfig(given), preNorm: false }))).toContain("logits");
  });

  it("says which kinds of results it does not know", async () => {
    writeFileSync(join(temporary, "index.json"), JSON.stringify([{ file: "x.safetensors", kind: "zoo_x" }]));
    expect(await all(checkParity(temporary))).toMatchObject([{ file: "x.safetensors", status: "unsupported" }]);
  });

  it("asks for a folder with an index", async () => {
    await expect(all(checkParity(join(temporary, "nowhere")))).rejects.toThrow("Expected a parity folder");
    mkdirSync(join(temporary, "broken"));
    writeFileSync(join(temporary, "broken", "models.json"), "{");
    await expect(all(checkParity(join(temporary, "broken")))).rejects.toThrow("Expected a JSON list");
  });
});
