import { beforeAll, describe, expect, it } from "@jest/globals";
import { decayingRead, decayingReadPlain, selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { retention, retentionDecays } from "./retnet/model.js";

beforeAll(async () => {
  await selectBackend("wasm");
});

function inputs(heads: number, time: number, width: number, wide: number): [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D] {
  const rng = Rng.fromSeed(time);
  const draw = (name: string, size: number) =>
    tf.tensor4d(rng.fork(name).uniforms(2 * heads * time * size, -1, 1), [2, heads, time, size]);
  return [draw("queries", width), draw("keys", width), draw("values", wide)];
}

/** Value and gradients, flattened. */
function everything(read: typeof decayingReadPlain, args: tf.Tensor4D[], decays: readonly number[]) {
  return tf.tidy(() => {
    const run = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
      read(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, decays);
    const value = run(...(args as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D]));
    const gradients = tf.grads(run)(args, tf.cos(value) as tf.Tensor4D);
    return [value, ...gradients].map((x) => Array.from(x.dataSync()));
  });
}

function expectClose(actual: number[][], expected: number[][]) {
  for (const [i, list] of expected.entries()) {
    const size = Math.max(1, ...list.map(Math.abs));
    for (const [j, value] of list.entries()) expect(Math.abs(actual[i]![j]! - value) / size).toBeLessThan(3e-6);
  }
}

describe("the chunked read of a decaying memory", () => {
  it("is the recurrence, with its gradients, whatever the lengths of sequence and chunk", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 23 }), fc.integer({ min: 1, max: 9 }), (time, chunk) => {
        const args = inputs(3, time, 2, 4);
        for (const decays of [
          [1, 1, 1],
          [0.5, 0.9, 1],
        ]) {
          const chunked: typeof decayingReadPlain = (q, k, v, d) => decayingRead(q, k, v, d, chunk);
          expectClose(everything(chunked, args, decays), everything(decayingReadPlain, args, decays));
        }
        tf.dispose(args);
      }),
      { numRuns: 8 },
    );
  });

  it("sums what was stored, each step worth half of the next, in an example by hand", () => {
    const [q, k, v] = [
      [1, 1, 2],
      [1, 2, 3],
      [4, 2, 1],
    ].map((x) => tf.tensor4d(x, [1, 1, 3, 1]));
    // memory: 4, 2 + 4, 3 + 3
    expect(Array.from(decayingRead(q!, k!, v!, [0.5], 2).dataSync())).toEqual([4, 6, 12]);
  });
});

describe("retention", () => {
  it("reads the same from chunks as from the recurrence, where the divisor acts and where it does not", () => {
    const [q, k, v] = inputs(2, 150, 4, 8);
    for (const size of [0.1, 3]) {
      const [fast, slow] = [undefined, decayingReadPlain].map((read) =>
        tf.tidy(() => Array.from(retention(q.mul(size), k, v, read).dataSync())),
      );
      expectClose([fast!], [slow!]);
    }
    tf.dispose([q, k, v]);
  });

  it("is the published formula, evaluated in double precision", () => {
    const [q, k, v] = inputs(2, 5, 2, 3).map((x) => (x.mul(2) as tf.Tensor4D).arraySync()) as number[][][][][];
    const expected = [0, 1].flatMap((b) =>
      retentionDecays(2).flatMap((decay, h) =>
        [0, 1, 2, 3, 4].flatMap((t) => {
          const past = Array.from({ length: t + 1 }, (_, s) => decay ** (t - s));
          const norm = Math.sqrt(past.reduce((a, c) => a + c));
          const weights = past.map(
            (d, s) => (d / norm) * q![b]![h]![t]!.reduce((sum, x, i) => sum + x * k![b]![h]![s]![i]!, 0),
          );
          const divisor = Math.max(1, Math.abs(weights.reduce((a, c) => a + c)));
          return [0, 1, 2].map((e) => weights.reduce((sum, w, s) => sum + (w * v![b]![h]![s]![e]!) / divisor, 0));
        }),
      ),
    );
    const [tq, tk, tv] = [q!, k!, v!].map((x) => tf.tensor4d(x));
    expectClose([Array.from(retention(tq!, tk!, tv!).dataSync())], [expected]);
  });
});
