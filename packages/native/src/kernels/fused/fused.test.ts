/** What the cases of @mm/ops do not ask: awkward numbers, exact reproducibility, precision, memory. */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import * as ops from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { isBuilt, loadAddon, registerNative } from "../../index.js";
import { differences, everything, normal } from "../../testing/everything.js";

const describeBuilt = isBuilt() ? describe : describe.skip;
const key = [7, 9] as const;

beforeAll(async () => {
  if (isBuilt()) await ops.selectBackend("native");
});
afterAll(() => {
  if (isBuilt()) registerNative();
});

describeBuilt("the fused kernels", () => {
  it("give the same bits on any number of threads", () => {
    const { addon } = registerNative({ threads: 1 });
    const alone = everything();
    expect(alone[0]![0]).toBeGreaterThan(1);
    for (const threads of [2, 3, 5]) {
      addon.setThreads(threads);
      expect(everything()).toEqual(alone);
    }
    registerNative();
  });

  it("take no fresh memory once they have run", () => {
    everything();
    const before = loadAddon().memoryUse();
    everything();
    const after = loadAddon().memoryUse();
    expect(after.fresh).toBe(before.fresh);
    expect(after.scratch).toBe(before.scratch);
    expect(after.live).toBe(before.live);
  });

  it("stay near fp32 with bf16 inputs", () => {
    const exact = everything();
    registerNative({ precision: "bf16" });
    const rounded = everything();
    registerNative();
    expect(rounded[0]![0]).not.toBe(exact[0]![0]);
    for (const difference of differences(exact, rounded)) expect(difference).toBeLessThan(0.05);
  });
});

describeBuilt("reads", () => {
  const heads = 1;

  it("return the value of the key that matches, however large the scores", () => {
    const keys = tf.tensor3d([300, 0, 0, 300, -300, 0], [1, 3, 2]);
    const slots = tf.tensor4d([100, 0, 0, 100], [1, 1, 2, 2]);
    const values = tf.tensor4d([1, 2, 3, 4], [1, 1, 2, 2]);
    const read = ops.persistentRead(keys, slots, values);
    // scores 30000, 0 | 0, 30000 | -30000, 0
    expect([...read.dataSync()]).toEqual([1, 2, 3, 4, 3, 4]);
  });

  it("give NaN where a score is NaN, and nowhere else", () => {
    const keys = tf.tensor3d([1, Number.NaN, 1], [1, 3, 1]);
    const read = ops.persistentRead(keys, tf.ones([1, 1, 5, 1]), tf.ones([1, 1, 5, 1]));
    const [first, second, third] = read.dataSync();
    expect(first).toBeCloseTo(1, 6);
    expect(second).toBeNaN();
    expect(third).toBeCloseTo(1, 6);
  });

  it("never touch values that nobody reads, nor keys", () => {
    const time = 70;
    const keys = normal<tf.Tensor3D>("keys", [1, time, 3]);
    const clean = normal<tf.Tensor3D>("values", [1, time, 3]);
    const last = tf
      .range(0, time)
      .reshape([1, time, 1])
      .equal(time - 1);
    const poisoned = tf.where(last.tile([1, 1, 3]), tf.fill([1, time, 3], Number.NaN), clean) as tf.Tensor3D;
    const read = (values: tf.Tensor3D) => ops.contextualRead(keys, values, { heads, shift: 1 });
    expect(read(poisoned).dataSync()).toEqual(read(clean).dataSync());
    const gradient = tf.grad((k: tf.Tensor) =>
      ops.contextualRead(k as tf.Tensor3D, poisoned, { heads, shift: 1 }).sum(),
    );
    expect(gradient(keys).dataSync().every(Number.isFinite)).toBe(true);
  });

  it("read one slot exactly, and weigh its key by nothing", () => {
    const keys = normal<tf.Tensor3D>("keys", [2, 3, 8]);
    const slotKeys = normal<tf.Tensor4D>("slot", [1, 2, 1, 4]);
    const slotValues = normal<tf.Tensor4D>("value", [1, 2, 1, 4]);
    const { value, grads } = tf.valueAndGrads((k, sk, sv) =>
      ops.persistentRead(k as tf.Tensor3D, sk as tf.Tensor4D, sv as tf.Tensor4D).sum(),
    )([keys, slotKeys, slotValues]);
    expect(value.dataSync()[0]).toBeCloseTo(6 * slotValues.sum().dataSync()[0]!, 4);
    for (const entry of grads[1]!.dataSync()) expect(Math.abs(entry)).toBeLessThan(1e-5);
    for (const entry of grads[2]!.dataSync()) expect(entry).toBeCloseTo(6, 5);
  });

  it("have gradients that finite differences confirm", () => {
    const [batch, time, slots] = [2, 9, 11];
    const inputs = [normal("q", [batch, time, 6]), normal("sk", [1, 2, slots, 3]), normal("sv", [1, 2, slots, 3])];
    const weight = normal("weight", [batch, time, 6]);
    const dropout = { rate: 0.25, key };
    const loss = (k: tf.Tensor, sk: tf.Tensor, sv: tf.Tensor) =>
      ops
        .persistentRead(k as tf.Tensor3D, sk as tf.Tensor4D, sv as tf.Tensor4D, { dropout })
        .mul(weight)
        .sum();
    expectGradients(loss, inputs);
  });

  it("have gradients that finite differences confirm, with queries that are the keys", () => {
    const inputs = [normal("k", [2, 9, 6]), normal("v", [2, 9, 6])];
    const weight = normal("weight", [2, 9, 6]);
    const options = { heads: 2, shift: 1, dropout: { rate: 0.25, key } };
    expectGradients(
      (k, v) =>
        ops
          .contextualRead(k as tf.Tensor3D, v as tf.Tensor3D, options)
          .mul(weight)
          .sum(),
      inputs,
    );
  });
});

describeBuilt("extractors", () => {
  it("have gradients for rate, scale and mix that finite differences confirm", () => {
    const u = normal("u", [2, 7, 6]);
    const weight = normal("weight", [2, 7, 6]);
    const perHead = () => [tf.tensor1d([0.3, 1.2]), tf.tensor1d([1.5, 0.7])];
    expectGradients(
      (u, rate, scale) =>
        ops
          .leakyKeys(u as tf.Tensor3D, rate as tf.Tensor1D, scale as tf.Tensor1D)
          .mul(weight)
          .sum(),
      [u, ...perHead()],
    );
    expectGradients(
      (w, mix, scale) =>
        ops
          .peekValues(w as tf.Tensor3D, mix as tf.Tensor1D, scale as tf.Tensor1D, 1)
          .mul(weight)
          .sum(),
      [u, ...perHead()],
    );
  });

  it("give unit vectors of denormal and of huge inputs", () => {
    const u = tf.tensor3d([3e-42, 4e-42, 3e30, 4e30, 3e-30, 4e-30], [3, 1, 2]);
    const keys = ops.peekValues(u, tf.ones([1]), tf.ones([1]), 0).dataSync();
    const wanted = [0.6, 0.8, 0.6, 0.8, 0.6, 0.8];
    for (const [i, value] of keys.entries()) expect(value).toBeCloseTo(wanted[i]!, i < 2 ? 3 : 6);
  });

  it("keep the sign of zero", () => {
    const negative = ops.scaleHeads(tf.tensor3d([-0, 0], [1, 1, 2]), tf.ones([1])).dataSync();
    expect(Object.is(negative[0], -0)).toBe(true);
    expect(Object.is(negative[1], 0)).toBe(true);
  });
});

describeBuilt("linearCrossEntropy", () => {
  it("is exact for scores beyond the range of e^x", () => {
    const x = tf.tensor2d([1000, -1000], [2, 1]);
    const weight = tf.tensor2d([1, 0, -1], [3, 1]);
    const losses = ops.linearTokenLosses(x, weight, tf.tensor1d([1, 2], "int32")).dataSync();
    expect([...losses]).toEqual([1000, 0]);
  });

  it("gives the same gradients in several chunks as in one", () => {
    // 90000 words: the logits of 700 tokens exceed one chunk
    const [tokens, width, vocabulary] = [700, 4, 90000];
    const x = normal<tf.Tensor2D>("x", [tokens, width]);
    const weight = normal<tf.Tensor2D>("weight", [vocabulary, width]);
    const targets = tf.tensor1d(
      Int32Array.from({ length: tokens }, (_, i) => (i * 131) % vocabulary),
      "int32",
    );
    const gradient = (begin: number, count: number) =>
      tf
        .grad((x: tf.Tensor) =>
          ops.linearCrossEntropy(x as tf.Tensor2D, weight, targets.slice(begin, count) as tf.Tensor1D).mul(count),
        )(x.slice([begin, 0], [count, width]))
        .dataSync();
    const whole = gradient(0, tokens);
    const parts = [...gradient(0, 300), ...gradient(300, 400)];
    for (const [i, value] of whole.entries()) expect(Math.abs(value - parts[i]!)).toBeLessThan(2e-5);
  });
});

describeBuilt("adamWStep", () => {
  it("steps many parameters at once exactly as one by one in the definition", () => {
    const shapes = [[3], [70000], [5, 7], [1]];
    const make = () =>
      shapes.map((shape, i) => ({
        parameter: tf.variable(normal(`p${i}`, shape)),
        gradient: normal(`g${i}`, shape),
        first: tf.variable(normal(`m${i}`, shape)),
        second: tf.variable(normal(`s${i}`, shape).square()),
        decayed: i % 2 === 0,
      }));
    const settings = { learningRate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, step: 3, clip: 1 };
    const [fast, plain] = [make(), make()];
    const norms = [ops.adamWStep(fast, settings), ops.adamWStepPlain(plain, settings)].map((n) => n.dataSync()[0]!);
    expect(norms[0]).toBeCloseTo(norms[1]!, 2);
    fast.forEach(({ parameter, first, second }, i) => {
      const wanted = plain[i]!;
      for (const [a, b] of [
        [parameter, wanted.parameter],
        [first, wanted.first],
        [second, wanted.second],
      ] as const) {
        const difference = a.sub(b).abs().div(b.abs().add(1)).max().dataSync()[0]!;
        expect(difference).toBeLessThan(2e-6);
      }
    });
  });
});

/** Compares gradients with central differences along a random direction of each input. */
function expectGradients(loss: (...inputs: tf.Tensor[]) => tf.Tensor, inputs: tf.Tensor[]): void {
  const gradients = tf.valueAndGrads(loss as (...args: tf.Tensor[]) => tf.Scalar)(inputs).grads;
  const step = 2e-3;
  inputs.forEach((input, i) => {
    const direction = normal(`direction${i}`, input.shape);
    const at = (sign: number) =>
      loss(...inputs.map((each, j) => (j === i ? each.add(direction.mul(sign * step)) : each))).dataSync()[0]!;
    const difference = (at(1) - at(-1)) / (2 * step);
    const slope = gradients[i]!.mul(direction).sum().dataSync()[0]!;
    expect(Math.abs(slope - difference)).toBeLessThan(0.01 * Math.max(1, Math.abs(difference)));
  });
}
