/** The contract that every model of the zoo keeps. */
import { beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { inference, type LanguageModel } from "./model.js";
import { randomTokens, smallModel, variants } from "./testing/small-models.js";
import { createModel } from "./zoo.js";

const TIME = 10;
const training = (seed = 3) => ({ training: true as const, dropout: Rng.fromSeed(seed).fork("dropout") });

beforeAll(async () => {
  await selectBackend("wasm");
});

describe.each(Object.entries(variants))("%s", (_name, config) => {
  let model: LanguageModel;
  let tokens: tf.Tensor2D;
  let targets: tf.Tensor2D;
  beforeAll(() => {
    model = createModel(config(), Rng.fromSeed(1));
    tokens = randomTokens(2, TIME);
    targets = randomTokens(2, TIME, 4);
  });

  it("never looks ahead: changing a token moves no score before it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: TIME - 1 }), fc.integer({ min: 1, max: 10 }), (at, shift) => {
        const changed = tokens.arraySync();
        changed[0]![at] = (changed[0]![at]! + shift) % 11;
        const before = tf.tidy(() => model.logits(tokens).slice([0, 0], [1, at]).dataSync());
        const after = tf.tidy(() =>
          model
            .logits(tf.tensor2d(changed, [2, TIME], "int32"))
            .slice([0, 0], [1, at])
            .dataSync(),
        );
        expect(after).toEqual(before);
      }),
      { numRuns: 8 },
    );
  });

  it("treats the sequences of a batch apart", () => {
    const together = tf.tidy(() => model.logits(tokens).slice([1], [1]).dataSync());
    const alone = tf.tidy(() => model.logits(tokens.slice([1], [1])).dataSync());
    expectClose(alone, together);
  });

  it("gives finite scores from the first position on, for a single token too", () => {
    const single = tf.tidy(() => model.logits(tokens.slice([0, 0], [2, 1])).dataSync());
    expect(single.every(Number.isFinite)).toBe(true);
    expectClose(
      single,
      tf.tidy(() => model.logits(tokens).slice([0, 0], [2, 1]).dataSync()),
    );
  });

  it("gives the last row of the scores as those of the next token", () => {
    const last = tf.tidy(() =>
      model
        .logits(tokens)
        .slice([0, TIME - 1], [2, 1])
        .dataSync(),
    );
    expectClose(
      tf.tidy(() => model.nextLogits(tokens).dataSync()),
      last,
    );
  });

  it("has the mean cross-entropy of its scores as loss", () => {
    const expected = tf.tidy(() => {
      const logProbabilities = model.logits(tokens).logSoftmax();
      return tf
        .oneHot(targets, 11)
        .toFloat()
        .mul(logProbabilities)
        .sum()
        .div(-2 * TIME)
        .dataSync()[0]!;
    });
    expect(tf.tidy(() => model.loss(tokens, targets, inference).dataSync()[0]!)).toBeCloseTo(expected, 5);
    const positions = tf.tidy(() => model.tokenLosses(tokens, targets));
    expect(positions.shape).toEqual([2, TIME]);
    expect(tf.tidy(() => positions.mean().dataSync()[0]!)).toBeCloseTo(expected, 5);
    positions.dispose();
  });

  it("leaves ignored targets out of the loss", () => {
    const some = targets.arraySync();
    some[0]![0] = -1;
    some[1]![TIME - 1] = -1;
    const { loss, positions } = tf.tidy(() => {
      const partly = tf.tensor2d(some, [2, TIME], "int32");
      return {
        loss: model.loss(tokens, partly, inference).dataSync()[0]!,
        positions: model.tokenLosses(tokens, partly).dataSync(),
      };
    });
    for (const ignored of [positions[0]!, positions[2 * TIME - 1]!]) expect(Math.abs(ignored)).toBe(0);
    expect(loss).toBeCloseTo(Array.from(positions).reduce((a, b) => a + b) / (2 * TIME - 2), 5);
  });

  it("draws its dropout from the stream of the pass, and only in training", () => {
    const loss = (mode: Parameters<LanguageModel["loss"]>[2]) =>
      tf.tidy(() => model.loss(tokens, targets, mode).dataSync()[0]);
    expect(loss(training(3))).toBe(loss(training(3)));
    expect(loss(training(3))).not.toBe(loss(training(5)));
    expect(loss(training(3))).not.toBe(loss(inference));
  });

  it("has a gradient for every parameter that agrees with the slope of the loss", () => {
    const smooth = awayFromKinks(createModel(config(), Rng.fromSeed(1)));
    const variables = smooth.variables();
    const { value, grads } = tf.variableGrads(() => smooth.loss(tokens, targets, inference), Object.values(variables));
    expect(Object.keys(grads)).toHaveLength(Object.keys(variables).length);
    const slope = directionalSlope(smooth, tokens, targets, (variable) => grads[variable.name]!);
    const squares = tf.tidy(() => tf.addN(Object.values(grads).map((grad) => grad.square().sum())).dataSync()[0]!);
    expect(slope / Math.sqrt(squares)).toBeCloseTo(1, 2);
    tf.dispose([value, grads]);
    smooth.dispose();
  });

  it("frees every tensor that it makes", () => {
    const run = () => {
      tf.dispose([model.logits(tokens), model.nextLogits(tokens), model.tokenLosses(tokens, targets)]);
      const { value, grads } = tf.variableGrads(() => model.loss(tokens, targets, training()));
      tf.dispose([value, grads]);
    };
    run();
    const before = tf.memory().numTensors;
    run();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("is made of the same numbers for the same seed, and leaves nothing behind", () => {
    const before = tf.memory();
    const again = createModel(config(), Rng.fromSeed(1));
    for (const [name, variable] of Object.entries(again.variables()))
      expect(variable.dataSync()).toEqual(model.variables()[name]!.dataSync());
    again.dispose();
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numBytes).toBe(before.numBytes);
  });
});

describe("a sequence longer than the context", () => {
  it("is refused in one sentence", () => {
    const model = smallModel("gpt2");
    expect(() => model.logits(randomTokens(1, 13))).toThrow("Expected at most 12 tokens (contextLength), found 13.");
    model.dispose();
  });
});

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>) {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) expect(actual[i]!).toBeCloseTo(expected[i]!, 4);
}

/** The scale of v2's values starts at the kink of |θ|, where a loss has no slope. */
function awayFromKinks(model: LanguageModel): LanguageModel {
  for (const [name, variable] of Object.entries(model.variables()))
    if (name.endsWith("value.scale")) tf.tidy(() => variable.assign(tf.fill(variable.shape, 0.1)));
  return model;
}

/** Slope of the loss along the normalised gradient, by a central difference. */
function directionalSlope(
  model: LanguageModel,
  tokens: tf.Tensor2D,
  targets: tf.Tensor2D,
  gradient: (variable: tf.Variable) => tf.Tensor,
): number {
  const variables = Object.values(model.variables());
  const norm = Math.sqrt(
    variables.reduce((sum, v) => sum + tf.tidy(() => gradient(v).square().sum().dataSync()[0]!), 0),
  );
  const step = 3e-4;
  const original = variables.map((variable) => tf.clone(variable));
  const lossAt = (along: number) => {
    for (const [i, v] of variables.entries()) tf.tidy(() => v.assign(original[i]!.add(gradient(v).mul(along / norm))));
    return tf.tidy(() => model.loss(tokens, targets, inference).dataSync()[0]!);
  };
  const slope = (lossAt(step) - lossAt(-step)) / (2 * step);
  for (const [i, v] of variables.entries()) v.assign(original[i]!);
  tf.dispose(original);
  return slope;
}
