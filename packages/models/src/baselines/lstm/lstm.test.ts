import { beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { inference } from "../../model.js";
import { countParameters } from "../../parameters.js";
import { createModel, ModelConfig, modelParameters } from "../../zoo.js";
import { orthonormalColumns } from "./orthonormal.js";
import { lstmStates, lstmStatesPlain } from "./recurrence.js";

beforeAll(async () => {
  await selectBackend("wasm");
});

const config = (settings: object = {}) =>
  ModelConfig.parse({ kind: "lstm", vocabulary: 7, width: 4, blocks: 3, ...settings });
const tokens = () => tf.tensor2d([1, 2, 3, 4, 5, 6, 0, 1], [2, 4], "int32");
const targets = () => tf.tensor2d([2, 3, 4, 5, 6, 0, 1, 2], [2, 4], "int32");

describe("the recurrence of the LSTM", () => {
  it.each([1, 2, 9])("of %i steps has the states and the gradients of its definition", (time) => {
    const rng = Rng.fromSeed(5);
    const inputs = tf.tensor3d(rng.fork("inputs").uniforms(3 * time * 8, -3, 3), [3, time, 8]);
    const weight = tf.tensor2d(rng.fork("weight").uniforms(16, -1, 1), [8, 2]);
    const [fast, slow] = [lstmStates, lstmStatesPlain].map((states) =>
      tf.tidy(() => {
        const run = (u: tf.Tensor, w: tf.Tensor) => states(u as tf.Tensor3D, w as tf.Tensor2D);
        const value = run(inputs, weight);
        return [value, ...tf.grads(run)([inputs, weight], tf.cos(value))].flatMap((x) => Array.from(x.dataSync()));
      }),
    );
    for (const [i, value] of slow!.entries()) expect(fast![i]).toBeCloseTo(value, 5);
    tf.dispose([inputs, weight]);
  });

  it("keeps, forgets and writes as its gates say, in an example by hand", () => {
    // Width 1. Gates far open or shut: step 1 writes tanh(1), step 2 keeps it, step 3 forgets it.
    const steps = [
      [50, 50, 1, 50],
      [-50, 50, 9, 50],
      [-50, -50, 9, 50],
    ];
    const states = lstmStates(tf.tensor3d([steps]), tf.tensor2d([0, 0, 0, 0], [4, 1])).dataSync();
    expect(states[0]).toBeCloseTo(Math.tanh(Math.tanh(1)), 6);
    expect(states[1]).toBeCloseTo(Math.tanh(Math.tanh(1)), 6);
    expect(states[2]).toBeCloseTo(0, 6);
  });
});

describe("the published frame of the LSTM", () => {
  it("lets only the last layer act, on the raw embedding", () => {
    const deep = createModel(config(), Rng.fromSeed(1));
    const shallow = createModel(config({ blocks: 1 }), Rng.fromSeed(2));
    for (const [name, variable] of Object.entries(shallow.variables()))
      variable.assign(deep.variables()[name.replace("mixer.0", "mixer.2")]!);
    const [a, b] = [deep, shallow].map((model) => tf.tidy(() => model.logits(tokens()).dataSync()));
    expect(a).toEqual(b);
    deep.dispose();
    shallow.dispose();
  });

  it("gives the layers before it no gradient at all, so that the optimiser leaves them alone", () => {
    const model = createModel(config(), Rng.fromSeed(1));
    const names = new Map(Object.entries(model.variables()).map(([name, variable]) => [variable.name, name]));
    const { grads } = tf.tidy(() =>
      tf.variableGrads(() => model.loss(tokens(), targets(), inference), Object.values(model.variables())),
    );
    const moved = Object.keys(grads).map((name) => names.get(name)!);
    expect(moved.sort()).toEqual([
      "embeddings.word_embeddings.weight",
      ...["bias_hh_l0", "bias_ih_l0", "weight_hh_l0", "weight_ih_l0"].map((name) => `mixer.2.lstm.${name}`),
    ]);
    tf.dispose(grads);
    model.dispose();
  });

  it("has no dropout", () => {
    const model = createModel(config({ dropout: 0.5 }), Rng.fromSeed(1));
    const [a, b] = [3, 4].map((seed) =>
      tf.tidy(() => model.loss(tokens(), targets(), { training: true, dropout: Rng.fromSeed(seed) }).dataSync()[0]),
    );
    expect(a).toBe(b);
    model.dispose();
  });

  it("counts the layers that do not act among its parameters", () => {
    const sizes = [2, 1].map((blocks) =>
      countParameters(modelParameters(config({ vocabulary: 20, width: 256, blocks }))),
    );
    expect(sizes).toEqual([1_057_792, 531_456]);
  });
});

describe("a new LSTM", () => {
  it("has orthonormal recurrent columns", () => {
    const [rows, columns] = [12, 3];
    const matrix = tf.tensor2d(orthonormalColumns(rows, columns)(Rng.fromSeed(1), rows * columns), [rows, columns]);
    const products = tf.matMul(matrix, matrix, true).dataSync();
    for (const [i, product] of products.entries()) expect(product).toBeCloseTo(i % 4 === 0 ? 1 : 0, 6);
  });

  it("forgets little at first, and has an embedding of deviation 1", () => {
    const table = modelParameters(config({ vocabulary: 1000 }));
    const draw = (name: string, size: number) => table[name]!.initial(Rng.fromSeed(1).fork(name), size);
    expect(Array.from(draw("mixer.0.lstm.bias_ih_l0", 16))).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    const embedding = draw("embeddings.word_embeddings.weight", 4000);
    const deviation = Math.sqrt(embedding.reduce((sum, x) => sum + x * x, 0) / embedding.length);
    expect(deviation).toBeCloseTo(1, 1);
    const weights = draw("mixer.1.lstm.weight_ih_l0", 64);
    expect(Math.max(...weights.map(Math.abs))).toBeLessThanOrEqual(Math.sqrt(6 / 20));
  });

  it("decays all parameters", () => {
    const model = createModel(config(), Rng.fromSeed(1));
    expect(Object.keys(model.variables()).every((name) => model.decayed(name))).toBe(true);
    model.dispose();
  });
});
