import { beforeAll, describe, expect, it } from "@jest/globals";
import { causalConvolution, selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { inference } from "../model.js";
import { initialise, isDecayed, type ParameterTable } from "../parameters.js";
import { Scope } from "../scope.js";
import { ModelConfig, modelParameters } from "../zoo.js";
import { H3Config } from "./h3/config.js";
import { H3, h3Mixer } from "./h3/model.js";
import { modeKernel, modeRecurrence } from "./modes.js";
import { S4dConfig } from "./s4d/config.js";
import { S4d, s4dMixer } from "./s4d/model.js";

beforeAll(async () => {
  await selectBackend("wasm");
});

const draw = (name: string, shape: number[], low = -1, high = 1) =>
  tf.tensor(Rng.fromSeed(5).fork(name).uniforms(tf.util.sizeFromShape(shape), low, high), shape);

function expectClose(actual: tf.Tensor, expected: tf.Tensor, error = 1e-5) {
  expect(actual.shape).toEqual(expected.shape);
  const scale = Math.max(
    1,
    tf.tidy(() => expected.abs().max().dataSync()[0]!),
  );
  expect(tf.tidy(() => actual.sub(expected).abs().max().dataSync()[0]!) / scale).toBeLessThan(error);
}

describe("the kernel of decaying modes", () => {
  it("is 2 Re Σ c e^{lz}, summed in double precision", () => {
    const [weights, exponents] = [
      [
        [0.5, -1],
        [2, 0.25],
      ],
      [
        [-0.1, 0.7],
        [-0.02, 2.5],
      ],
    ] as const;
    const expected = Array.from({ length: 23 }, (_, l) =>
      weights.reduce((sum, [re, im], n) => {
        const [decay, angle] = exponents[n]!;
        return sum + 2 * Math.exp(l * decay) * (re * Math.cos(l * angle) - im * Math.sin(l * angle));
      }, 0),
    );
    const pair = (list: readonly (readonly [number, number])[]) => ({
      re: tf.tensor2d([list.map(([re]) => re)]),
      im: tf.tensor2d([list.map(([, im]) => im)]),
    });
    expectClose(modeKernel(pair(weights), pair(exponents), 23), tf.tensor2d([expected]), 2e-6);
  });

  it.each([1, 2, 7, 40])("makes a convolution over %i steps equal to the recurrence", (time) => {
    const u = draw("u", [2, time, 3]) as tf.Tensor3D;
    const weights = { re: draw("c", [3, 4]), im: draw("d", [3, 4]) };
    const exponents = { re: draw("a", [3, 4], -1, 0), im: draw("b", [3, 4], -3, 3) };
    expectClose(causalConvolution(u, modeKernel(weights, exponents, time)), modeRecurrence(u, weights, exponents));
  });
});

/** A mixer with random parameters, so that nothing is at a special value. */
function scopeOf(table: ParameterTable): Scope {
  const variables = initialise(table, Rng.fromSeed(2));
  for (const [name, variable] of Object.entries(variables))
    tf.tidy(() => variable.assign(variable.add(draw(name, variable.shape, -0.2, 0.2))));
  return new Scope(variables);
}

describe("the convolution and the recurrence are the same layer", () => {
  const fields = { width: 4, stateSize: 6 };
  const x = () => draw("x", [2, 17, 4]) as tf.Tensor3D;

  it("in S4D", () => {
    const layer = new S4d(scopeOf(s4dMixer.parameters(S4dConfig.parse({ kind: "s4d", ...fields }))));
    expectClose(layer.apply(x(), inference), layer.applyRecurrently(x()));
  });
  it("in H3", () => {
    const layer = new H3(scopeOf(h3Mixer.parameters(H3Config.parse({ kind: "h3", ...fields }))));
    expectClose(layer.apply(x(), inference), layer.applyRecurrently(x()));
  });
});

describe("weight decay spares", () => {
  const spared = (config: object) =>
    Object.entries(modelParameters(ModelConfig.parse({ blocks: 1, ...config })))
      .filter(([, parameter]) => !isDecayed(parameter))
      .map(([name]) => name.replace("backbone.layers.0.mixer.", ""));

  it("step size and dynamics of S4D", () => {
    expect(spared({ kind: "s4d" })).toEqual([
      "kernel.kernel.log_dt",
      "kernel.kernel.log_w_real",
      "kernel.kernel.w_imag",
    ]);
  });
  it("the shift's delay, step size and dynamics of H3", () => {
    expect(spared({ kind: "h3" })).toEqual([
      "ssm_k_kernel.kernel.B",
      ...["log_dt", "B", "inv_A_real", "A_imag"].map((name) => `kernel.kernel.${name}`),
    ]);
  });
  it("the network that makes Hyena's filters, but not their bias", () => {
    expect(spared({ kind: "hyena" })).toEqual(
      ["0.weight", "0.bias", "1.freq", "2.weight", "2.bias", "4.weight", "4.bias", "6.weight"].map(
        (name) => `filter_fn.implicit_filter.${name}`,
      ),
    );
  });
});

describe("a new state-space layer", () => {
  const values = (config: object, name: string) => {
    const { initial, shape } = modelParameters(ModelConfig.parse({ blocks: 2, ...config }))[
      `backbone.layers.1.mixer.${name}`
    ]!;
    return initial(
      Rng.fromSeed(3).fork(name),
      shape.reduce((a, b) => a * b),
    );
  };
  const deviation = (list: Float32Array) => Math.sqrt(list.reduce((sum, x) => sum + x * x, 0) / list.length);

  it("has the frequencies of S4D-Inv and half-lives of ln ½, and steps from 0.001 to 0.1", () => {
    expect(Array.from(values({ kind: "s4d", stateSize: 4 }, "kernel.kernel.w_imag"))).toEqual(
      [3, 1 / 3].map((x) => Math.fround((4 / Math.PI) * x)),
    );
    expect(values({ kind: "s4d" }, "kernel.kernel.log_w_real")[0]).toBeCloseTo(Math.log(0.5001), 6);
    const steps = values({ kind: "s4d", width: 500 }, "kernel.kernel.log_dt").map(Math.exp);
    expect(Math.min(...steps)).toBeGreaterThan(1e-3);
    expect(Math.max(...steps)).toBeLessThan(0.1);
  });

  it("has the weights of S4D on the scale of the modes' response: Σ |C/A|² is ½ on average", () => {
    const weights = values({ kind: "s4d", width: 4000, stateSize: 8 }, "kernel.kernel.C");
    const frequencies = values({ kind: "s4d", stateSize: 8 }, "kernel.kernel.w_imag");
    let sum = 0;
    for (let at = 0; at < weights.length; at += 2)
      sum += (weights[at]! ** 2 + weights[at + 1]! ** 2) / (0.25 + frequencies[(at / 2) % 4]! ** 2);
    expect(sum / 4000).toBeCloseTo(0.5, 1);
  });

  it("has H3 pass keys without delay and products at harmonic frequencies", () => {
    expect(Array.from(values({ kind: "h3", stateSize: 4, width: 2 }, "ssm_k_kernel.kernel.B"))).toEqual([
      ...[1, 0, 0, 0],
      ...[1, 0, 0, 0],
    ]);
    expect(Array.from(values({ kind: "h3", stateSize: 4, width: 2 }, "kernel.kernel.A_imag"))).toEqual(
      [0, Math.PI, 0, Math.PI].map(Math.fround),
    );
    expect(deviation(values({ kind: "h3", width: 500 }, "kernel.kernel.C"))).toBeCloseTo(Math.SQRT1_2, 1);
  });

  it("has Hyena's filters from matrices of deviation 0.02, the published pass over all linear layers", () => {
    expect(deviation(values({ kind: "hyena" }, "filter_fn.implicit_filter.2.weight"))).toBeCloseTo(0.02, 2);
    expect(deviation(values({ kind: "hyena" }, "out_proj.weight"))).toBeCloseTo(0.01, 2);
    expect(values({ kind: "hyena" }, "filter_fn.implicit_filter.1.freq")[0]).toBe(10);
  });
});
