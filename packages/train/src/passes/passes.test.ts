import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createModel, type LanguageModel, ModelConfig } from "@mm/models";
import { selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { failingReplica, testReplica } from "../testing/test-replica.js";
import { tinyModel, VOCABULARY } from "../testing/tiny-dataset.js";
import { type LossAndGradients, lossAndGradients, type TrainingBatch, tokenLosses } from "./one-pass.js";
import { type Passes, passesOf } from "./passes.js";
import { Replicas } from "./replicas.js";

const rng = Rng.fromSeed(5);

/** Batches of one to three rows of three to eight tokens. */
const batches = Array.from({ length: 7 }, (): TrainingBatch => {
  const [rows, length] = [rng.integer(1, 4), rng.integer(3, 9)];
  const ids = () => Int32Array.from({ length: rows * length }, () => rng.integer(0, VOCABULARY));
  return { tokens: ids(), targets: ids(), length };
});
const weighted = batches.map((batch, index) => ({ batch, share: 1 / (index + 2), dropout: rng.fork(index) }));

const numbers = ({ loss, gradients }: LossAndGradients) => {
  const values = Object.entries(gradients).map(([name, gradient]) => [name, gradient.shape, [...gradient.dataSync()]]);
  tf.dispose(gradients);
  return { loss, values };
};

async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const result of results) all.push(result);
  return all;
}

let model: LanguageModel;
beforeAll(async () => {
  await selectBackend("wasm");
  model = createModel(ModelConfig.parse(tinyModel), Rng.fromSeed(1));
});
afterAll(() => model.dispose());

const replicas = (count: number, entry = testReplica) =>
  new Replicas(model, { entry, backend: { name: "wasm", threads: count, precision: "fp32" } }, count);

describe.each([
  ["in the model itself", () => passesOf(model)],
  ["in one replica", () => replicas(1)],
  ["in three replicas", () => replicas(3)],
])("passes %s", (_, start) => {
  let passes: Passes;
  beforeAll(() => {
    passes = start();
  });
  afterAll(async () => {
    if (passes instanceof Replicas) await passes.close();
  });

  it("give the losses and gradients of each batch, in order, bit for bit", async () => {
    const results = (await collect(passes.lossesAndGradients(weighted))).map(numbers);
    const expected = [];
    for (const batch of weighted) expected.push(numbers(await lossAndGradients(model, batch)));
    expect(results).toEqual(expected);
  });

  it("give the losses of each token, in order", async () => {
    const expected = [];
    for (const batch of batches) expected.push(await tokenLosses(model, batch));
    expect(await collect(passes.tokenLosses(batches))).toEqual(expected);
  });

  it("see the weights as they are at each call", async () => {
    const before = await collect(passes.tokenLosses(batches));
    for (const variable of Object.values(model.variables())) tf.tidy(() => variable.assign(variable.mul(1.5)));
    const after = await collect(passes.tokenLosses(batches));
    expect(after).not.toEqual(before);
    expect(after[0]).toEqual(await tokenLosses(model, batches[0]!));
  });

  it("leave no tensor behind, and take no batches for an answer", async () => {
    const before = tf.memory().numTensors;
    for await (const { gradients } of passes.lossesAndGradients(weighted)) tf.dispose(gradients);
    expect(await collect(passes.lossesAndGradients([]))).toEqual([]);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("replicas that cannot start", () => {
  it("say why, now and at every later call", async () => {
    const passes = replicas(2, failingReplica);
    await expect(collect(passes.tokenLosses(batches))).rejects.toThrow("no backend here");
    await expect(collect(passes.tokenLosses(batches))).rejects.toThrow("no backend here");
    await passes.close();
  });
});
