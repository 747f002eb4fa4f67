import { afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { AdamW } from "./adamw.js";

const settings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const live: tf.Tensor[] = [];
const variable = (values: number[]) => {
  const made = tf.tidy(() => tf.variable(tf.tensor1d(values)));
  live.push(made);
  return made;
};

beforeAll(() => tf.setBackend("cpu"));
afterEach(() => tf.dispose(live.splice(0)));

/** One parameter in double precision, from the formulas of Loshchilov & Hutter (2019). */
function reference(p: number[], gradients: number[][], rates: number[], decayed: boolean): number[] {
  let [m, v] = [p.map(() => 0), p.map(() => 0)];
  for (const [i, g] of gradients.entries()) {
    const lr = rates[i]!;
    const norm = Math.sqrt(g.reduce((sum, x) => sum + x * x, 0));
    const clipped = g.map((x) => x * Math.min(1, settings.clip / (norm + 1e-6)));
    m = m.map((x, at) => 0.9 * x + 0.1 * clipped[at]!);
    v = v.map((x, at) => 0.95 * x + 0.05 * clipped[at]! ** 2);
    p = p.map((x, at) => {
      const shrunk = decayed ? x * (1 - lr * 0.1) : x;
      const [mHat, vHat] = [m[at]! / (1 - 0.9 ** (i + 1)), v[at]! / (1 - 0.95 ** (i + 1))];
      return shrunk - (lr * mHat) / (Math.sqrt(vHat) + 1e-8);
    });
  }
  return p;
}

describe("AdamW", () => {
  it.each([true, false])("follows the published formulas over 20 steps (decayed: %p)", async (decayed) => {
    const rng = Rng.fromSeed(1);
    const start = [0.5, -1, 2];
    const gradients = Array.from({ length: 20 }, () => [rng.normal(), rng.normal(), 3 * rng.normal()]);
    const rates = gradients.map((_, step) => 0.01 * step);
    const w = variable(start);
    const optimizer = new AdamW({ w }, () => decayed, settings);
    for (const [step, gradient] of gradients.entries()) {
      const g = tf.tensor1d(gradient);
      const norm = await optimizer.step({ w: g }, rates[step]!);
      expect(norm).toBeCloseTo(Math.hypot(...gradient), 5);
      g.dispose();
    }
    const expected = reference(start, gradients, rates, decayed);
    for (const [at, value] of (await w.data()).entries()) expect(value).toBeCloseTo(expected[at]!, 5);
    optimizer.dispose();
  });

  it("moves nothing at rate 0, but remembers the gradient and counts the step", async () => {
    const w = variable([1, 2]);
    const optimizer = new AdamW({ w }, () => true, settings);
    const g = tf.tensor1d([0.3, -0.4]);
    await optimizer.step({ w: g }, 0);
    g.dispose();
    expect([...(await w.data())]).toEqual([1, 2]);
    expect(optimizer.steps).toBe(1);
    expect((await optimizer.moments["w"]!.first.data())[0]).toBeCloseTo(0.03, 7);
    optimizer.dispose();
  });

  it("leaves a parameter without gradient alone: no decay, no moments", async () => {
    const [used, unused] = [variable([1]), variable([1])];
    const optimizer = new AdamW({ used, unused }, () => true, settings);
    const g = tf.tensor1d([0.5]);
    await optimizer.step({ used: g }, 0.1);
    g.dispose();
    expect((await used.data())[0]).not.toBe(1);
    expect((await unused.data())[0]).toBe(1);
    optimizer.dispose();
  });

  it("clips by the norm over all parameters together", async () => {
    const [a, b] = [variable([0]), variable([0])];
    const optimizer = new AdamW({ a, b }, () => false, { ...settings, clip: 0.5 });
    const gradients = { a: tf.tensor1d([3]), b: tf.tensor1d([4]) };
    expect(await optimizer.step(gradients, 0.1)).toBeCloseTo(5, 5);
    tf.dispose(gradients);
    // g · 0.5/(5 + 1e-6) = (0.3, 0.4); first moments a tenth of it.
    expect((await optimizer.moments["a"]!.first.data())[0]).toBeCloseTo(0.03, 6);
    expect((await optimizer.moments["b"]!.first.data())[0]).toBeCloseTo(0.04, 6);
    optimizer.dispose();
  });

  it("frees everything but parameters and moments", async () => {
    const before = tf.memory().numTensors;
    const w = variable([1, 2, 3]);
    const optimizer = new AdamW({ w }, () => true, settings);
    const g = tf.tensor1d([1, 2, 3]);
    await optimizer.step({ w: g }, 0.1);
    g.dispose();
    expect(tf.memory().numTensors).toBe(before + 3);
    optimizer.dispose();
    tf.dispose(live.splice(0));
    expect(tf.memory().numTensors).toBe(before);
  });
});
