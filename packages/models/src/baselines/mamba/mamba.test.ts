import { beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { inference } from "../../model.js";
import { countParameters } from "../../parameters.js";
import { randomTokens } from "../../testing/small-models.js";
import { createModel, ModelConfig, modelParameters } from "../../zoo.js";

beforeAll(async () => {
  await selectBackend("wasm");
});

const config = (fields: object) => ModelConfig.parse({ kind: "mamba", vocabulary: 11, blocks: 2, width: 8, ...fields });
const parameter = (name: string, fields: object) => {
  const { initial, shape } = modelParameters(config(fields))[`mixer.1.inner_mamba.${name}`]!;
  return initial(
    Rng.fromSeed(1).fork(name),
    shape.reduce((a, b) => a * b),
  );
};

describe("Mamba in the published frame", () => {
  it("acts through its last layer alone: the others have no gradient, and their values do not matter", () => {
    const model = createModel(config({}), Rng.fromSeed(1));
    const [tokens, targets] = [randomTokens(2, 7), randomTokens(2, 7, 3)];
    const loss = () => tf.tidy(() => model.loss(tokens, targets, inference).dataSync()[0]!);
    const { value, grads } = tf.variableGrads(
      () => model.loss(tokens, targets, inference),
      Object.values(model.variables()),
    );
    const names = Object.entries(model.variables());
    const moved = names.filter(([, variable]) => grads[variable.name]).map(([name]) => name);
    expect(moved.some((name) => name.startsWith("mixer.0."))).toBe(false);
    expect(moved.filter((name) => name.startsWith("mixer.1."))).toHaveLength(9);
    const before = loss();
    const change = (name: string) =>
      tf.tidy(() => model.variables()[name]!.assign(tf.mul(model.variables()[name]!, 3)));
    change("mixer.0.inner_mamba.in_proj.weight");
    expect(loss()).toBe(before);
    change("mixer.1.inner_mamba.in_proj.weight");
    expect(loss()).not.toBe(before);
    tf.dispose([value, grads, tokens, targets]);
    model.dispose();
  });

  it("has all layers act in a proper stack, `frame: blocks`", () => {
    const model = createModel(config({ frame: "blocks" }), Rng.fromSeed(1));
    const tokens = randomTokens(1, 5);
    const { value, grads } = tf.variableGrads(() => model.loss(tokens, tokens, inference));
    expect(Object.keys(grads)).toHaveLength(Object.keys(model.variables()).length);
    tf.dispose([value, grads, tokens]);
    model.dispose();
  });

  it.each([
    [8, 13_568_000],
    [4, 6_789_120],
  ])("of width 512 has the parameters of the published runs, %i layers", (blocks, expected) => {
    expect(countParameters(modelParameters(ModelConfig.parse({ kind: "mamba", blocks, width: 512 })))).toBe(expected);
  });

  it("decays everything, A_log and D too: the published trainer calls no exemption", () => {
    const model = createModel(config({}), Rng.fromSeed(1));
    expect(Object.keys(model.variables()).every((name) => model.decayed(name))).toBe(true);
    model.dispose();
  });
});

describe("a new Mamba", () => {
  it("starts with steps from 0.001 to 0.1, whatever the input", () => {
    const steps = parameter("dt_proj.bias", { width: 500 }).map((bias) => Math.log1p(Math.exp(bias)));
    expect(Math.min(...steps)).toBeGreaterThan(0.99e-3);
    expect(Math.max(...steps)).toBeLessThan(0.101);
    const logarithms = Array.from(steps, Math.log);
    const middle = (Math.log(1e-3) + Math.log(1e-1)) / 2;
    expect(logarithms.reduce((a, b) => a + b) / logarithms.length).toBeCloseTo(middle, 0);
  });
  it("decays its state at rates 1, 2, …, N in every channel, and passes the input on", () => {
    const rates = Array.from(parameter("A_log", { stateSize: 3 }).slice(0, 6), (logarithm) => Math.exp(logarithm));
    for (const [at, rate] of [1, 2, 3, 1, 2, 3].entries()) expect(rates[at]).toBeCloseTo(rate, 5);
    expect(parameter("D", {}).every((x) => x === 1)).toBe(true);
  });
  it("has matrices uniform within one over the root of their inputs", () => {
    for (const [name, inputs] of [
      ["in_proj.weight", 64],
      ["dt_proj.weight", 4],
      ["out_proj.weight", 128],
      ["conv1d.bias", 4],
    ] as const) {
      const values = parameter(name, { width: 64 });
      const bound = 1 / Math.sqrt(inputs);
      expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(bound);
      expect(Math.max(...values)).toBeGreaterThan(0.9 * bound);
    }
  });
});
