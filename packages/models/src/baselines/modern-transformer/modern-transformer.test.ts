import { beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { inference } from "../../model.js";
import { countParameters, isDecayed } from "../../parameters.js";
import { randomTokens } from "../../testing/small-models.js";
import { createModel, ModelConfig, modelParameters } from "../../zoo.js";
import { rotary } from "./rotary.js";

beforeAll(async () => {
  await selectBackend("wasm");
});

const config = (fields: object) => ModelConfig.parse({ kind: "modern-transformer", blocks: 1, ...fields });

describe("rotary positions", () => {
  it("turn the first pair by one radian a step and keep lengths: (1, 0) → (cos t, sin t)", () => {
    const turned = rotary(3, 4, 4, 10_000)(tf.tensor3d([1, 0, 0, 2, 1, 0, 0, 2, 1, 0, 0, 2], [1, 3, 4])).arraySync();
    for (const [t, row] of turned[0]!.entries()) {
      const slow = t / 100; // 10000^{−2/4}
      for (const [c, value] of [Math.cos(t), Math.sin(t), -2 * Math.sin(slow), 2 * Math.cos(slow)].entries())
        expect(row[c]).toBeCloseTo(value, 5);
    }
  });

  it("leave products that depend on the distance alone", () => {
    const draw = (name: string) => Array.from(Rng.fromSeed(1).fork(name).uniforms(6, -1, 1));
    const repeated = (name: string) => rotary(8, 6, 6, 100)(tf.tensor3d(Array(8).fill(draw(name)).flat(), [1, 8, 6]));
    const products = tf.matMul(repeated("q"), repeated("k"), false, true).arraySync() as number[][][];
    for (let t = 3; t < 8; t++) expect(products[0]![t]![t - 3]).toBeCloseTo(products[0]![3]![0]!, 5);
  });

  it("are turned back by their gradient", () => {
    const [x, dy] = ["x", "dy"].map((name) => tf.tensor3d(Rng.fromSeed(2).fork(name).uniforms(24, -1, 1), [1, 4, 6]));
    const turn = rotary(4, 6, 2, 10);
    const gradient = tf.grad((x) => turn(x as tf.Tensor3D))(x!, dy!);
    expect(
      tf
        .sub(turn(gradient as tf.Tensor3D), dy!)
        .abs()
        .max()
        .dataSync()[0],
    ).toBeLessThan(1e-6);
  });
});

describe("the modern Transformer", () => {
  it("computes one block as written, in double precision", () => {
    const model = createModel(config({ vocabulary: 5, width: 2, heads: 1, hidden: 3, dropout: 0 }), Rng.fromSeed(4));
    for (const [name, variable] of Object.entries(model.variables()))
      tf.tidy(() =>
        variable.assign(tf.tensor(Rng.fromSeed(9).fork(name).uniforms(variable.size, -1, 1), variable.shape)),
      );
    const of = (name: string) => model.variables()[name]!.arraySync() as number[][];
    const gain = (name: string) => model.variables()[name]!.arraySync() as unknown as number[];
    const times = (matrix: number[][], x: number[]) =>
      matrix.map((row) => row.reduce((sum, weight, i) => sum + weight * x[i]!, 0));
    const norm = (x: number[], weight: number[]) => {
      const root = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / x.length + 1e-5);
      return x.map((value, i) => (value / root) * weight[i]!);
    };
    const turn = ([a, b]: number[], t: number) => [
      a! * Math.cos(t) - b! * Math.sin(t),
      b! * Math.cos(t) + a! * Math.sin(t),
    ];
    const tokens = [3, 0, 4];
    const stream = tokens.map((token) => of("tok_embeddings.weight")[token]!);
    const normed = stream.map((x) => norm(x, gain("layers.0.attention_norm.weight")));
    const projected = (name: string) => normed.map((x) => times(of(`layers.0.attention.${name}.weight`), x));
    const [queries, keys, values] = [projected("wq").map(turn), projected("wk").map(turn), projected("wv")];
    const expected = stream.map((x, t) => {
      const scores = keys
        .slice(0, t + 1)
        .map((key) => Math.exp((key[0]! * queries[t]![0]! + key[1]! * queries[t]![1]!) / Math.SQRT2));
      const total = scores.reduce((a, b) => a + b);
      const read = [0, 1].map((c) => scores.reduce((sum, score, s) => sum + (score / total) * values[s]![c]!, 0));
      const attended = times(of("layers.0.attention.wo.weight"), read).map((y, c) => y + x[c]!);
      const inner = norm(attended, gain("layers.0.ffn_norm.weight"));
      const gate = times(of("layers.0.feed_forward.w1.weight"), inner).map((a) => a / (1 + Math.exp(-a)));
      const hidden = times(of("layers.0.feed_forward.w3.weight"), inner).map((b, i) => b * gate[i]!);
      const last = times(of("layers.0.feed_forward.w2.weight"), hidden).map((y, c) => y + attended[c]!);
      return times(of("tok_embeddings.weight"), norm(last, gain("norm.weight")));
    });
    const logits = tf.tidy(() => model.logits(tf.tensor2d([tokens], [1, 3], "int32"), inference).arraySync());
    for (const [t, row] of expected.entries())
      for (const [v, value] of row.entries()) expect(logits[0]![t]![v]).toBeCloseTo(value, 5);
    model.dispose();
  });

  it("needs no table of positions: 4 d² in attention, 8 d² in the network, two gains in each block", () => {
    expect(countParameters(modelParameters(config({ width: 96, blocks: 2, vocabulary: 20 })))).toBe(
      2 * (12 * 96 ** 2 + 2 * 96) + 20 * 96 + 96,
    );
  });

  it("decays matrices alone", () => {
    const table = modelParameters(config({ width: 8 }));
    for (const [name, parameter] of Object.entries(table)) expect(isDecayed(parameter)).toBe(!name.includes("norm"));
  });

  it("refuses heads of odd width", () => {
    expect(() => config({ width: 6, heads: 2 })).toThrow("even width");
  });

  it("reads the same text at any length", () => {
    const model = createModel(config({ vocabulary: 11, width: 8 }), Rng.fromSeed(1));
    const tokens = randomTokens(1, 9);
    const [whole, part] = [9, 5].map((time) =>
      tf.tidy(() =>
        model
          .logits(tf.slice(tokens, [0, 0], [1, time]))
          .slice([0, 0], [1, 5])
          .dataSync(),
      ),
    );
    for (const [i, value] of part!.entries()) expect(whole![i]).toBeCloseTo(value, 5);
    model.dispose();
  });
});
