import { beforeAll, describe, expect, it } from "@jest/globals";
import { gatedRead, gatedReadPlain, selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { logGates } from "./model.js";

beforeAll(async () => {
  await selectBackend("wasm");
});

function everything(read: typeof gatedReadPlain, args: tf.Tensor[]) {
  return tf.tidy(() => {
    const run = (...x: tf.Tensor[]) => read(...(x as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor4D]));
    const value = run(...args);
    return [value, ...tf.grads(run)(args, tf.cos(value))].map((x) => Array.from(x.dataSync()));
  });
}

/** Queries, keys, values and log gates; `lowest` is where the gates' uniform distribution begins. */
function inputs(time: number, lowest: number): tf.Tensor4D[] {
  const rng = Rng.fromSeed(time);
  const draw = (name: string, size: number, low: number, high: number) =>
    tf.tensor4d(rng.fork(name).uniforms(2 * 2 * time * size, low, high), [2, 2, time, size]);
  return [draw("queries", 3, -1, 1), draw("keys", 3, -1, 1), draw("values", 4, -1, 1), draw("gates", 3, lowest, 0)];
}

function expectClose(actual: number[][], expected: number[][]) {
  for (const [i, list] of expected.entries()) {
    const size = Math.max(1, ...list.map(Math.abs));
    for (const [j, value] of list.entries()) expect(Math.abs(actual[i]![j]! - value) / size).toBeLessThan(3e-6);
  }
}

describe("the chunked read of a gated memory", () => {
  it("is the recurrence, with its gradients, whatever the lengths of sequence and chunk", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 23 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(-0.05, -3),
        (time, chunk, lowest) => {
          const args = inputs(time, lowest);
          const chunked: typeof gatedReadPlain = (q, k, v, a) => gatedRead(q, k, v, a, chunk);
          expectClose(everything(chunked, args), everything(gatedReadPlain, args));
          tf.dispose(args);
        },
      ),
      { numRuns: 8 },
    );
  });

  it("stays exact when every gate is as far shut as it can be", () => {
    const args = inputs(50, -3);
    args[3]!.dispose();
    args[3] = tf.fill([2, 2, 50, 3], -3);
    expectClose(everything(gatedRead, args), everything(gatedReadPlain, args));
    tf.dispose(args);
  });

  it("keeps what its gates let it keep, feature by feature, in an example by hand", () => {
    const ones = tf.tensor4d([1, 1, 1, 1, 1, 1], [1, 1, 3, 2]);
    const values = tf.tensor4d([4, 2, 1], [1, 1, 3, 1]);
    const gates = tf.log(tf.tensor4d([0.5, 1, 0.5, 1, 0.5, 1], [1, 1, 3, 2]));
    // first feature 4, 2 + 2, 2 + 1; second 4, 6, 7
    const read = Array.from(gatedRead(ones, ones, values, gates, 2).dataSync());
    for (const [i, expected] of [8, 10, 10].entries()) expect(read[i]).toBeCloseTo(expected, 5);
  });
});

describe("the gates", () => {
  it("are sixteenth roots of sigmoids, clamped to e^−3, where no gradient passes", () => {
    const logits = tf.tensor1d([0, 20, -16, -60]);
    const values = logGates(logits).dataSync();
    for (const [i, expected] of [-Math.log(2) / 16, 0, -1, -3].entries()) expect(values[i]).toBeCloseTo(expected, 5);
    const slopes = tf
      .grad((z) => logGates(z))(logits)
      .dataSync();
    for (const [i, expected] of [1 / 32, 0, 1 / 16, 0].entries()) expect(slopes[i]).toBeCloseTo(expected, 5);
  });
});
