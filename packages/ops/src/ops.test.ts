import { beforeAll, describe, expect, it } from "@jest/globals";
import * as tf from "@tensorflow/tfjs";
import * as fc from "fast-check";
import * as ops from "./index.js";

beforeAll(() => ops.selectBackend("wasm"));

const numbers = (tensor: tf.Tensor) => Array.from(tensor.dataSync(), (value) => Math.round(value * 1e4) / 1e4);

describe("leakyAverage", () => {
  it("halves the past at rate ln 2: 8, 0, 4, 0 → 4, 2, 3, 1.5", () => {
    const u = tf.tensor3d([8, 0, 4, 0], [1, 4, 1]);
    expect(numbers(ops.leakyAverage(u, tf.tensor1d([Math.log(2)])))).toEqual([4, 2, 3, 1.5]);
  });
});

describe("leakyKeys", () => {
  it("are vectors of the given length per head", () => {
    const u = tf.tensor3d([3, 4, 0, 2], [1, 1, 4]);
    expect(numbers(ops.leakyKeys(u, tf.tensor1d([1, 1]), tf.tensor1d([10, 1])))).toEqual([6, 8, 0, 1]);
  });
});

describe("peekValues", () => {
  it("mix the present and the next input: (1, 0), (0, 1) three to one → (3, 1)/√10, (0, 1)", () => {
    const w = tf.tensor3d([1, 0, 0, 1], [1, 2, 2]);
    expect(numbers(ops.peekValues(w, tf.tensor1d([0.75]), tf.tensor1d([1]), 1))).toEqual([0.9487, 0.3162, 0, 1]);
  });
});

describe("contextualRead", () => {
  const values = () => tf.tensor3d([1, 2, 4, 8], [1, 4, 1]);

  it("gives zero at the first position, where nothing is stored, then the mean of the past when keys are zero", () => {
    const read = ops.contextualRead(tf.zeros([1, 4, 1]), values(), { heads: 1, shift: 1 });
    expect(numbers(read)).toEqual([0, 1, 1.5, 2.3333]);
  });

  it("gives the value of the matching key when keys are long", () => {
    const keys = tf.tensor3d([9, -9, 9, -9], [1, 4, 1]);
    expect(numbers(ops.contextualRead(keys, values(), { heads: 1, shift: 1 }))).toEqual([0, 1, 1, 2]);
  });

  it("never looks ahead", () => {
    const entries = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 24, maxLength: 24 });
    fc.assert(
      fc.property(
        entries,
        fc.integer({ min: 0, max: 5 }),
        fc.double({ min: 1, max: 3, noNaN: true }),
        (x, at, change) => {
          const readOf = (x: number[]) => {
            const keys = tf.tensor3d(x, [1, 6, 4]);
            return ops.contextualRead(keys, keys, { heads: 2, shift: 1 }).dataSync();
          };
          const before = tf.tidy(() => readOf(x));
          const after = tf.tidy(() => readOf(x.map((value, i) => (Math.floor(i / 4) === at ? value + change : value))));
          expect(Array.from(after.slice(0, 4 * at))).toEqual(Array.from(before.slice(0, 4 * at)));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("reads one token at a time what it reads in one go", () => {
    const keys = tf.randomNormal([2, 7, 6], 0, 1, "float32", 5) as tf.Tensor3D;
    const whole = ops.causalRead(keys, keys, keys, { heads: 2, nearest: 1 }).arraySync() as number[][][];
    for (let t = 0; t < 7; t++) {
      const one = ops.causalRead(keys.slice([0, t, 0], [2, 1, 6]), keys, keys, { heads: 2, nearest: 1, offset: t });
      const expected = whole.flatMap((sequence) => sequence[t]!);
      one.dataSync().forEach((value, i) => {
        expect(value).toBeCloseTo(expected[i]!, 5);
      });
    }
  });
});

describe("persistentRead", () => {
  it("is the mean of the slots for a zero key", () => {
    const slots = tf.tensor4d([1, 2, 6], [1, 1, 3, 1]);
    expect(numbers(ops.persistentRead(tf.zeros([1, 1, 1]), slots, slots))).toEqual([3]);
  });
});

describe("linearCrossEntropy", () => {
  it("is the logarithm of the vocabulary where all logits are equal, over the targets that count", () => {
    const loss = ops.linearCrossEntropy(tf.zeros([3, 2]), tf.ones([8, 2]), tf.tensor1d([5, -1, 0], "int32"));
    expect(loss.dataSync()[0]).toBeCloseTo(Math.log(8), 5);
  });

  it("gives in chunks what it gives at once", () => {
    // 2^16 words: 64 tokens fit in a chunk, so 70 take two.
    const x = tf.randomNormal([70, 2], 0, 1, "float32", 1) as tf.Tensor2D;
    const weight = tf.randomNormal([65536, 2], 0, 1, "float32", 2) as tf.Tensor2D;
    const targets = tf.range(0, 70, 1, "int32").mul(tf.scalar(900, "int32")) as tf.Tensor1D;
    const chunked = tf.grads((x, w) => ops.linearCrossEntropy(x as tf.Tensor2D, w as tf.Tensor2D, targets))([
      x,
      weight,
    ]);
    const plain = tf.grads((x, w) => ops.linearCrossEntropyPlain(x as tf.Tensor2D, w as tf.Tensor2D, targets))([
      x,
      weight,
    ]);
    chunked.forEach((gradient, i) => {
      const difference = gradient.sub(plain[i]!).abs().max().dataSync()[0]!;
      expect(difference / plain[i]!.abs().max().dataSync()[0]!).toBeLessThan(1e-4);
    });
    const losses = ops.linearTokenLosses(x, weight, targets).sub(ops.linearTokenLossesPlain(x, weight, targets));
    expect(losses.abs().max().dataSync()[0]).toBeLessThan(1e-4);
  });
});

describe("linearRecurrence", () => {
  it("sums with decay: 1, 1, 1 at ½ from 4 → 3, 2.5, 2.25", () => {
    const states = ops.linearRecurrence(tf.tensor1d([0.5]), tf.ones([1, 3, 1]), tf.tensor2d([[4]]));
    expect(numbers(states)).toEqual([3, 2.5, 2.25]);
  });
});

describe("causalConvolution", () => {
  it("weighs the present and the past: 1, 2, 3 with taps 1, ½ → 1, 2.5, 4", () => {
    const y = ops.causalConvolution(tf.tensor3d([1, 2, 3], [1, 3, 1]), tf.tensor2d([[1, 0.5]]));
    expect(numbers(y)).toEqual([1, 2.5, 4]);
  });
});

describe("selectiveScan", () => {
  it("keeps e^{δA} of its state: x = 1, 1 with δ = 1, 2, e^A = ½, B = 1, C = 1, 4 → 1, 4 (¼ + 2)", () => {
    const of = (values: number[]) => tf.tensor3d(values, [1, 2, 1]);
    const y = ops.selectiveScan(of([1, 1]), of([1, 2]), tf.tensor2d([[-Math.log(2)]]), of([1, 1]), of([1, 4]));
    expect(numbers(y)).toEqual([1, 9]);
  });
});

describe("embedding", () => {
  it("refuses tokens that are not integers", () => {
    expect(() => ops.embedding(tf.ones([2, 2]), tf.tensor1d([0, 1]))).toThrow(
      "expected tokens of type int32, found float32",
    );
  });
});

describe("wrong shapes", () => {
  it("name the operation, what was expected and what was found", () => {
    expect(() => ops.linear(tf.ones([2, 3]), tf.ones([4, 5]))).toThrow(
      "linear: expected weight of shape [out=4, 3], found [4,5]",
    );
    expect(() => ops.leakyAverage(tf.ones([1, 2, 5]), tf.ones([2]))).toThrow(
      "leakyAverage: expected a width that is a multiple of the number of heads, found 5 and 2",
    );
  });
});
