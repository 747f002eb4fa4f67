import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { consecutiveBatch, type Dataset } from "@mm/data";
import { createModel, type LanguageModel, ModelConfig } from "@mm/models";
import { selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { evaluate, positionLoss } from "./evaluate.js";
import { batchTensors, tokenLosses } from "./passes/one-pass.js";
import { tinyDataset, tinyModel } from "./testing/tiny-dataset.js";

let dataset: Dataset;
let model: LanguageModel;

const modelWith = (changes: Record<string, unknown> = {}) =>
  createModel(ModelConfig.parse({ ...tinyModel, ...changes }), Rng.fromSeed(1));

beforeAll(async () => {
  await selectBackend("wasm");
  dataset = tinyDataset({ valid: 100 });
  model = modelWith();
});
afterAll(() => model.dispose());

const windows = { windows: 5, batch: 2, contextLength: 8 };

describe("evaluate", () => {
  it("gives the loss of the model without dropout over all windows at once", async () => {
    const stream = dataset.tokens("valid");
    const all = await evaluate(model, stream, { ...windows, windows: 100 });
    expect(all.windows).toBe(12);
    const expected = tf.tidy(() => {
      const batch = { ...consecutiveBatch(stream, { batch: 12, contextLength: 8 }, 0), length: 8 };
      return model.loss(...batchTensors(batch), { training: false }).dataSync()[0]!;
    });
    expect(all.loss).toBeCloseTo(expected, 5);
  });
  it("takes the same windows every time, in batches of any size", async () => {
    const stream = dataset.tokens("valid");
    const first = await evaluate(model, stream, windows);
    expect(first.windows).toBe(5);
    expect(await evaluate(model, stream, windows)).toEqual(first);
    for (const batch of [1, 3, 100]) {
      expect((await evaluate(model, stream, { ...windows, batch })).loss).toBeCloseTo(first.loss, 5);
    }
  });
  it("spreads the windows evenly over the whole split", async () => {
    const read: number[] = [];
    const stream = dataset.tokens("valid");
    const spy = new Proxy(stream, {
      get: (target, key) =>
        key === "slice"
          ? (from: number, to: number) => {
              read.push(from);
              return target.slice(from, to);
            }
          : Reflect.get(target, key, target),
    });
    await evaluate(model, spy, { ...windows, windows: 4 });
    expect(read).toEqual([0, 24, 48, 72]);
  });
  it("gives the standard error over windows at each position", async () => {
    const stream = dataset.tokens("valid");
    const { byPosition, byPositionStandardError } = await evaluate(model, stream, { ...windows, windows: 12 });
    const batch = { ...consecutiveBatch(stream, { batch: 12, contextLength: 8 }, 0), length: 8 };
    const losses = await tokenLosses(model, batch);
    const column = Array.from({ length: 12 }, (_, row) => losses[8 * row + 3]!);
    const squares = column.reduce((sum, loss) => sum + (loss - byPosition[3]!) ** 2, 0);
    expect(byPositionStandardError[3]).toBeCloseTo(Math.sqrt(squares / 11 / 12), 6);
    const single = await evaluate(model, stream, { ...windows, windows: 1 });
    expect(single.byPositionStandardError[3]).toBeNaN();
  });
  it("leaves out the positions that the model is not trained on", async () => {
    const skipping = modelWith({ skipTokens: 3 });
    const { loss, byPosition } = await evaluate(skipping, dataset.tokens("valid"), windows);
    const trained = [...byPosition].slice(3);
    expect(loss).toBeCloseTo(trained.reduce((sum, each) => sum + each, 0) / trained.length, 10);
    skipping.dispose();
  });
  it("says so when the split is shorter than a window", async () => {
    const short = tinyDataset({ valid: 8 }).tokens("valid");
    await expect(evaluate(model, short, windows)).rejects.toThrow("more than 8 tokens");
  });
  it("frees every tensor", async () => {
    const before = tf.memory().numTensors;
    await evaluate(model, dataset.tokens("valid"), windows);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("positionLoss", () => {
  it("gives the mean at each position, whose mean is the loss", async () => {
    const stream = dataset.tokens("valid");
    const losses = await positionLoss(model, stream, windows);
    expect(losses).toHaveLength(8);
    const { loss } = await evaluate(model, stream, windows);
    expect(losses.reduce((sum, each) => sum + each, 0) / 8).toBeCloseTo(loss, 10);
  });
  it("equals the loss of the last position alone, computed from the logits", async () => {
    const stream = dataset.tokens("valid");
    const [last] = (await positionLoss(model, stream, { ...windows, windows: 1 })).slice(-1);
    const { tokens, targets } = consecutiveBatch(stream, { batch: 1, contextLength: 8 }, 0);
    const expected = tf.tidy(() => {
      const logits = model.nextLogits(tf.tensor2d(tokens, [1, 8], "int32"));
      return -tf.logSoftmax(logits).dataSync()[targets[7]!]!;
    });
    expect(last).toBeCloseTo(expected, 5);
  });
});
