/**
 * S4D as in RegBench (its "S4"): a diagonal state-space layer with modes shared by all channels (arXiv 2206.11893),
 *
 *   A_n = −e^{a_n} + i w_n,   K_l = 2 Re Σ_n C_n (e^{dt A_n} − 1)/A_n e^{l dt A_n},   out = W gelu(K ∗ u + D u) + b
 *
 * dt and C belong to a channel; GELU is the erf form here.
 */
import { causalConvolution } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { applyLinear, linearParameters } from "../../layers/linear.js";
import { type Mode, observe } from "../../model.js";
import { constant, type Initial, normal, type ParameterTable, under } from "../../parameters.js";
import type { Scope } from "../../scope.js";
import { backboneModel, backboneParameters, DEVIATION, type MixerKind } from "../backbone.js";
import {
  type Complex,
  complexParameter,
  divide,
  logStepSizes,
  modeKernel,
  modeRecurrence,
  multiply,
  withDirectTerm,
} from "../modes.js";
import type { S4dConfig } from "./config.js";

function parameters({ width, stateSize }: S4dConfig): ParameterTable {
  const modes = stateSize / 2;
  return {
    D: { shape: [1, width], initial: normal(1) },
    ...under("kernel.kernel", {
      C: { shape: [1, width, modes, 2], initial: outputWeights(modes) },
      log_dt: { shape: [width], initial: logStepSizes, decayed: false },
      log_w_real: { shape: [1, modes], initial: constant(Math.log(0.5 + 1e-4)), decayed: false },
      w_imag: { shape: [1, modes], initial: frequencies(modes), decayed: false },
    }),
    ...under("output_linear", linearParameters(width, width, true, DEVIATION)),
  };
}

/** w_n = N/π (N/(2n+1) − 1), N = 2·modes: the frequencies of S4D-Inv. */
const frequency = (n: number, modes: number) => ((2 * modes) / Math.PI) * ((2 * modes) / (2 * n + 1) - 1);
const frequencies =
  (modes: number): Initial =>
  () =>
    Float32Array.from({ length: modes }, (_, n) => frequency(n, modes));

/**
 * C_n = B_n C′_n, both complex normal numbers; those of B are shared by all channels and scaled by 1/√(2 Σ |B_n/A_n|²),
 * which makes the variance of the output about one.
 */
const outputWeights =
  (modes: number): Initial =>
  (rng, size) => {
    const weights = normal(Math.SQRT1_2)(rng.fork("C"), size);
    const input = normal(Math.SQRT1_2)(rng.fork("B"), 2 * modes);
    let sum = 0;
    for (let n = 0; n < modes; n++) {
      const square = input[2 * n]! ** 2 + input[2 * n + 1]! ** 2;
      sum += square / (0.5 ** 2 + frequency(n, modes) ** 2);
    }
    const scale = 1 / Math.sqrt(2 * sum);
    for (let at = 0; at < size; at += 2) {
      const n = (at / 2) % modes;
      const [bRe, bIm] = [input[2 * n]! * scale, input[2 * n + 1]! * scale];
      const [re, im] = [weights[at]!, weights[at + 1]!];
      weights[at] = bRe * re - bIm * im;
      weights[at + 1] = bRe * im + bIm * re;
    }
    return weights;
  };

export class S4d {
  constructor(private readonly scope: Scope) {}

  /** [batch, time, width] → [batch, time, width] */
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D {
    const kernel = this.kernel(x.shape[1]);
    observe(mode, this.scope.path("kernel"), () => kernel);
    const read = causalConvolution(x, withDirectTerm(kernel, this.scope.get("D")));
    return applyLinear(this.scope.at("output_linear"), geluExact(read));
  }

  /** The same one step after another, the state alone carrying the past. */
  applyRecurrently(x: tf.Tensor3D): tf.Tensor3D {
    const [weights, exponents] = this.modes();
    const read = tf.add(modeRecurrence(x, weights, exponents), tf.mul(x, this.scope.get<tf.Tensor2D>("D")));
    return applyLinear(this.scope.at("output_linear"), geluExact(read as tf.Tensor3D));
  }

  kernel(length: number): tf.Tensor2D {
    return modeKernel(...this.modes(), length);
  }

  /** C_n (e^z − 1)/A_n and z = dt A_n: [channels, modes]. */
  private modes(): [weights: Complex, exponents: Complex] {
    const scope = this.scope.at("kernel.kernel");
    const dynamics = { re: tf.neg(tf.exp(scope.get<tf.Tensor2D>("log_w_real"))), im: scope.get<tf.Tensor2D>("w_imag") };
    const dt = tf.expandDims(tf.exp(scope.get<tf.Tensor1D>("log_dt")), 1);
    const z = { re: tf.mul(dt, dynamics.re), im: tf.mul(dt, dynamics.im) };
    const { re, im } = complexParameter(scope.get("C"));
    const weights = multiply(
      { re: tf.squeeze(re, [0]), im: tf.squeeze(im, [0]) },
      divide(exponentialMinusOne(z), dynamics),
    );
    return [weights, z];
  }
}

/** e^{a+ib} − 1 = (e^a − 1) cos b − 2 sin²(b/2) + i e^a sin b, which does not cancel where z is small. */
function exponentialMinusOne({ re: a, im: b }: Complex): Complex {
  const small = tf.mul(2, tf.square(tf.sin(tf.mul(b, 0.5))));
  return { re: tf.sub(tf.mul(tf.expm1(a), tf.cos(b)), small), im: tf.mul(tf.exp(a), tf.sin(b)) };
}

/** x Φ(x), Φ the normal distribution function. */
function geluExact(x: tf.Tensor3D): tf.Tensor3D {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}

export const s4dMixer: MixerKind<S4dConfig> = {
  positions: false,
  parameters,
  build: (_config, scope) => new S4d(scope),
};

export const s4dParameters = (config: S4dConfig) => backboneParameters(config, s4dMixer);

export const s4d = (config: S4dConfig, variables: Record<string, tf.Variable>) =>
  backboneModel(config, s4dMixer, variables);
