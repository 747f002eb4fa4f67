import { describe, expect, it } from "@jest/globals";
import * as tf from "@tensorflow/tfjs";
import { type AdamWSettings, adamWStep, adamWStepPlain } from "./adam-w-step.js";
import { selectBackend } from "./backends/select.js";

const settings: AdamWSettings = {
  learningRate: 0.1,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0.5,
  step: 1,
  clip: 1,
};

function parameter(values: number[], gradient: number[], decayed: boolean) {
  const zeros = () => tf.variable(tf.zeros([values.length]));
  return {
    parameter: tf.variable(tf.tensor1d(values)),
    gradient: tf.tensor1d(gradient),
    first: zeros(),
    second: zeros(),
    decayed,
  };
}

describe.each(["cpu", "wasm"])("adamWStep on %s", (backend) => {
  it("moves by the learning rate against the sign of the gradient at the first step, after decay", async () => {
    await selectBackend(backend);
    const decayed = parameter([2, 2], [3, 0], true);
    const free = parameter([2], [-4], false);
    expect(adamWStep([decayed, free], settings).dataSync()[0]).toBeCloseTo(5, 5);
    // 2 · (1 − 0.1 · 0.5) = 1.9, then ∓0.1; a zero gradient moves nothing.
    expect(decayed.parameter.dataSync()[0]).toBeCloseTo(1.8, 5);
    expect(decayed.parameter.dataSync()[1]).toBeCloseTo(1.9, 5);
    expect(free.parameter.dataSync()[0]).toBeCloseTo(2.1, 5);
    // Clipped to norm 1: (3, 0, −4)/5.
    expect(free.first.dataSync()[0]).toBeCloseTo(-0.08, 5);
    expect(free.second.dataSync()[0]).toBeCloseTo(0.05 * 0.64, 5);
  });

  it("agrees with its definition over some steps, and leaks nothing", async () => {
    await selectBackend(backend);
    const [fast, plain] = [0, 1].map(() => [parameter([1, -2, 3], [0, 0, 0], true), parameter([0.5], [0], false)]);
    const before = tf.memory().numTensors;
    for (let step = 1; step <= 4; step++) {
      tf.tidy(() => {
        const gradients = [tf.tensor1d([0.3 * step, -1, 1e-4]), tf.tensor1d([step % 2 === 0 ? -2 : 0.01])];
        const given = (all: typeof fast) => all!.map((each, at) => ({ ...each, gradient: gradients[at]! }));
        const norm = adamWStep(given(fast), { ...settings, step }).dataSync()[0]!;
        expect(norm).toBeCloseTo(adamWStepPlain(given(plain), { ...settings, step }).dataSync()[0]!, 5);
      });
    }
    expect(tf.memory().numTensors).toBe(before);
    fast!.forEach((each, at) => {
      each.parameter.dataSync().forEach((value, i) => {
        expect(value).toBeCloseTo(plain![at]!.parameter.dataSync()[i]!, 5);
      });
    });
  });
});
