import { beforeAll, describe, expect, it } from "@jest/globals";
import { type DecaySign, selectBackend, weightedMean, weightedMeanPlain } from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { ModelConfig } from "../../zoo.js";

beforeAll(async () => {
  await selectBackend("wasm");
});

const signs: DecaySign[] = ["published", "canonical"];

/** Value and gradients, flattened. */
function everything(mean: typeof weightedMean, args: tf.Tensor[], sign: DecaySign) {
  return tf.tidy(() => {
    const run = (k: tf.Tensor, v: tf.Tensor, decay: tf.Tensor, first: tf.Tensor) =>
      mean(k as tf.Tensor3D, v as tf.Tensor3D, { decay: decay as tf.Tensor1D, first: first as tf.Tensor1D, sign });
    const value = run(...(args as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]));
    return [value, ...tf.grads(run)(args, tf.cos(value))].map((x) => Array.from(x.dataSync()));
  });
}

function inputs(time: number, spread: number, decays: readonly number[]): tf.Tensor[] {
  const rng = Rng.fromSeed(time);
  const draw = (name: string, size: number) =>
    tf.tensor3d(rng.fork(name).uniforms(2 * time * 3, -size, size), [2, time, 3]);
  return [draw("keys", spread), draw("values", 1), tf.tensor1d([...decays]), tf.tensor1d([0.3, -1, 1])];
}

describe.each(signs)("the weighted mean of RWKV with the %s sign", (sign) => {
  it("is its definition, with all gradients, whatever the length", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 19 }), fc.constantFrom(1, 5), (time, spread) => {
        const args = inputs(time, spread, [0.1, 1, 2.7]);
        const [fast, slow] = [weightedMean, weightedMeanPlain].map((mean) => everything(mean, args, sign));
        for (const [i, list] of slow!.entries())
          for (const [j, value] of list.entries()) expect(fast![i]![j]!).toBeCloseTo(value, 4);
        tf.dispose(args);
      }),
      { numRuns: 8 },
    );
  });

  it("is the value itself where there is but one", () => {
    const [keys, values, decay, first] = inputs(1, 5, [0.1, 1, 2.7]) as [
      tf.Tensor3D,
      tf.Tensor3D,
      tf.Tensor1D,
      tf.Tensor1D,
    ];
    const mean = weightedMean(keys, values, { decay, first, sign }).dataSync();
    for (const [i, value] of values.dataSync().entries()) expect(mean[i]).toBeCloseTo(value, 6);
  });

  it("overflows neither for large keys nor for decays at the end of their initial distribution", () => {
    const args = inputs(300, 90, [0.001, 2.7, 15]);
    const [fast, slow] = [weightedMean, weightedMeanPlain].map((mean) => everything(mean, args, sign)[0]!);
    for (const [i, value] of slow!.entries()) expect(fast![i]!).toBeCloseTo(value, 3);
    for (const list of everything(weightedMean, args, sign)) expect(list.every(Number.isFinite)).toBe(true);
    tf.dispose(args);
  });
});

describe("the sign of RWKV's decay", () => {
  const mean = (sign: DecaySign) =>
    Array.from(
      tf.tidy(() =>
        weightedMean(tf.zeros([1, 3, 1]), tf.tensor3d([1, 0, 0], [1, 3, 1]), {
          decay: tf.tensor1d([Math.log(2)]),
          first: tf.tensor1d([0]),
          sign,
        }).dataSync(),
      ),
    );

  it("makes old tokens grow as published: weights 2, 1 and 1 at the third step", () => {
    for (const [i, expected] of [1, 1 / 2, 2 / 4].entries()) expect(mean("published")[i]).toBeCloseTo(expected, 6);
  });

  it("makes them shrink in the canonical form: weights 1/2, 1 and 1", () => {
    for (const [i, expected] of [1, 1 / 2, 1 / 5].entries()) expect(mean("canonical")[i]).toBeCloseTo(expected, 6);
  });

  it("is the published one unless asked otherwise", () => {
    expect(ModelConfig.parse({ kind: "rwkv" })).toMatchObject({ decaySign: "published" });
  });
});
