import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { readSafetensors, writeSafetensors } from "./safetensors.js";
import { randomTokens, smallConfig, smallModel } from "./testing/small-models.js";
import { loadModel, loadWeights, saveWeights } from "./weights.js";

const folder = mkdtempSync(join(tmpdir(), "weights-"));
const path = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(async () => {
  await selectBackend("wasm");
});

const scores = (model: ReturnType<typeof smallModel>) => tf.tidy(() => model.logits(randomTokens(1, 6)).dataSync());

describe.each(["memory-mosaic", "gpt2"] as const)("the weights of a %s", (kind) => {
  it("travel through a file into another model, and make a model by themselves", async () => {
    const before = tf.memory().numTensors;
    const model = smallModel(kind);
    await saveWeights(model, path(kind), { step: "12" });
    const other = smallModel(kind, {}, 99);
    expect(scores(other)).not.toEqual(scores(model));
    loadWeights(other, path(kind));
    expect(scores(other)).toEqual(scores(model));
    const third = loadModel(path(kind));
    expect(scores(third)).toEqual(scores(model));
    expect(third.config).toEqual(model.config);
    expect(readSafetensors(path(kind)).metadata).toMatchObject({ step: "12", format: "pt" });
    for (const each of [model, other, third]) each.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("weights of other code", () => {
  it("may repeat a tied matrix under its second name", async () => {
    const model = smallModel("gpt2");
    await saveWeights(model, path("ours"));
    const { tensors } = readSafetensors(path("ours"));
    writeSafetensors(path("theirs"), { ...tensors, "lm_head.weight": tensors["transformer.wte.weight"]! });
    const loaded = loadModel(path("theirs"), smallConfig("gpt2"));
    expect(scores(loaded)).toEqual(scores(model));
    expect(() => loadModel(path("theirs"))).toThrow("does not say which configuration it has");
    loaded.dispose();
    model.dispose();
  });
});

describe("weights that do not fit", () => {
  it("are refused with names and shapes, and change nothing", async () => {
    const model = smallModel("memory-mosaic");
    await saveWeights(model, path("small"));
    const before = scores(model);
    const untied = smallModel("memory-mosaic", { tieWeights: false, contextualOnly: true });
    expect(() => loadWeights(untied, path("small"))).toThrow(
      /it lacks head\.weight; the model has no blocks\.0\.ln2\.weight, .* and \d+ more/,
    );
    const wider = smallModel("memory-mosaic", { vocabulary: 12 });
    expect(() => loadWeights(wider, path("small"))).toThrow("as float32 [12,8], found Float32Array [11,8]");
    expect(scores(model)).toEqual(before);
    for (const each of [model, untied, wider]) each.dispose();
  });
});
