/**
 * H3 ("Hungry hungry hippos", arXiv 2212.14052, section 3): keys as they were some steps ago meet values, a diagonal
 * state-space layer keeps the products, and queries read them,
 *
 *   k̃ = s ∗ k + D_k k,   p = k̃ ⊙ v,   out = W (q ⊙ (K ∗ p + D p)) + b
 *
 * The shift layer's kernel is s_l = Σ_n B_n C_{n+l} for l < N: B picks a delay at first, C weighs it. The diagonal one is
 * discretised by the bilinear rule, per channel: A_n = −e^{r_n} + i w_n, z = dt A_n,
 *
 *   K_l = 2 Re Σ_n B_n C_n dt/(1 − z/2) dA_n^l,   dA = (1 + z/2)/(1 − z/2)
 */
import { causalConvolution } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { applyLinear, linearParameters } from "../../layers/linear.js";
import { type Mode, observe } from "../../model.js";
import { constant, type Initial, normal, type ParameterTable, under, uniform } from "../../parameters.js";
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
import type { H3Config } from "./config.js";

function parameters({ width, stateSize }: H3Config): ParameterTable {
  const modes = stateSize / 2;
  const bound = 1 / Math.sqrt(stateSize);
  const linear = linearParameters(width, width, true, DEVIATION);
  return {
    ssm_k_D: { shape: [width], initial: normal(1) },
    D: { shape: [width], initial: normal(1) },
    ...under("q_proj", linear),
    ...under("k_proj", linear),
    ...under("v_proj", linear),
    ...under("ssm_k_kernel.kernel", {
      B: { shape: [width, stateSize], initial: firstOf(stateSize), decayed: false },
      C: { shape: [1, width, stateSize], initial: uniform(-bound, bound) },
    }),
    ...under("kernel.kernel", {
      C: { shape: [1, width, modes, 2], initial: normal(Math.SQRT1_2) },
      log_dt: { shape: [width], initial: logStepSizes, decayed: false },
      B: { shape: [width, modes, 2], initial: firstOf(2), decayed: false },
      inv_A_real: { shape: [width, modes], initial: constant(Math.log(0.5)), decayed: false },
      A_imag: { shape: [width, modes], initial: harmonics(modes), decayed: false },
    }),
    ...under("output_linear", linear),
  };
}

/** Rows (1, 0, …, 0) of the given length: no delay, or the complex number 1. */
const firstOf =
  (length: number): Initial =>
  (_rng, size) =>
    Float32Array.from({ length: size }, (_, at) => (at % length === 0 ? 1 : 0));

/** w_n = πn in every channel: the frequencies of S4D-Lin. */
const harmonics =
  (modes: number): Initial =>
  (_rng, size) =>
    Float32Array.from({ length: size }, (_, at) => Math.PI * (at % modes));

export class H3 {
  constructor(private readonly scope: Scope) {}

  /** [batch, time, width] → [batch, time, width] */
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D {
    const time = x.shape[1];
    const shift = this.shiftKernel();
    const kernel = modeKernel(...this.modes(), time);
    observe(mode, this.scope.path("shiftKernel"), () => toLength(shift, time));
    observe(mode, this.scope.path("kernel"), () => kernel);
    return this.combine(
      x,
      (keys) => causalConvolution(keys, withDirectTerm(shift, this.scope.get("ssm_k_D"))),
      (pairs) => causalConvolution(pairs, withDirectTerm(kernel, this.scope.get("D"))),
    );
  }

  /** The same one step after another, the two states alone carrying the past. */
  applyRecurrently(x: tf.Tensor3D): tf.Tensor3D {
    const direct = (u: tf.Tensor3D, name: string) => tf.mul(u, this.scope.get<tf.Tensor1D>(name));
    return this.combine(
      x,
      (keys) => tf.add(this.shiftRecurrence(keys), direct(keys, "ssm_k_D")),
      (pairs) => tf.add(modeRecurrence(pairs, ...this.modes()), direct(pairs, "D")),
    );
  }

  private combine(
    x: tf.Tensor3D,
    delay: (keys: tf.Tensor3D) => tf.Tensor3D,
    keep: (pairs: tf.Tensor3D) => tf.Tensor3D,
  ): tf.Tensor3D {
    const [queries, keys, values] = ["q_proj", "k_proj", "v_proj"].map((name) => applyLinear(this.scope.at(name), x));
    const read = keep(tf.mul(delay(keys!), values!));
    return applyLinear(this.scope.at("output_linear"), tf.mul(queries!, read));
  }

  /** s_l = Σ_n B_n C_{n+l}, which is the convolution of B with C backwards, read backwards: [channels, N]. */
  shiftKernel(): tf.Tensor2D {
    const { input, output } = this.shift();
    const backwards = tf.expandDims(tf.reverse(tf.transpose(output), 0), 0) as tf.Tensor3D; // [1, N, channels]
    return tf.transpose(tf.squeeze(tf.reverse(causalConvolution(backwards, input), 1), [0])) as tf.Tensor2D;
  }

  /** A shift register: h_t = (0, h_0, …, h_{N−2})_{t−1} + B u_t, y_t = C·h_t. */
  private shiftRecurrence(u: tf.Tensor3D): tf.Tensor3D {
    const { input, output } = this.shift();
    let state: tf.Tensor = tf.zeros([u.shape[0], ...input.shape]);
    const outputs = tf.unstack(u, 1).map((now) => {
      const older = tf.slice(state, [0, 0, 0], [-1, -1, input.shape[1] - 1]);
      const shifted = tf.concat([tf.zerosLike(tf.slice(state, [0, 0, 0], [-1, -1, 1])), older], 2);
      state = tf.add(shifted, tf.mul(tf.expandDims(now, 2), input)); // [batch, channels, N]
      return tf.sum(tf.mul(state, output), 2);
    });
    return tf.stack(outputs, 1) as tf.Tensor3D;
  }

  /** B and C of the shift layer: [channels, N]. */
  private shift(): { input: tf.Tensor2D; output: tf.Tensor2D } {
    const scope = this.scope.at("ssm_k_kernel.kernel");
    return { input: scope.get("B"), output: tf.squeeze(scope.get("C"), [0]) };
  }

  /** B C dt/(1 − z/2) and ln dA: [channels, modes]. */
  private modes(): [weights: Complex, exponents: Complex] {
    const scope = this.scope.at("kernel.kernel");
    const dt = tf.expandDims(tf.exp(scope.get<tf.Tensor1D>("log_dt")), 1);
    const z = {
      re: tf.neg(tf.mul(dt, tf.exp(scope.get<tf.Tensor2D>("inv_A_real")))),
      im: tf.mul(dt, scope.get<tf.Tensor2D>("A_imag")),
    };
    const denominator = { re: tf.sub(1, tf.mul(z.re, 0.5)), im: tf.mul(z.im, -0.5) };
    const weights = multiply(
      complexParameter(scope.get("B")),
      complexParameter(tf.squeeze(scope.get<tf.Tensor4D>("C"), [0])),
    );
    const scaled = { re: tf.mul(weights.re, dt), im: tf.mul(weights.im, dt) };
    return [divide(scaled, denominator), bilinearLogarithm(z, denominator)];
  }
}

/**
 * ln((1 + z/2)/(1 − z/2)): its real part ½ ln(1 + 2 Re z/|1 − z/2|²) does not cancel where z is small; its imaginary part
 * is the argument of (1 + z/2)(1 − z̄/2) = 1 − |z|²/4 + i Im z.
 */
function bilinearLogarithm(z: Complex, denominator: Complex): Complex {
  const square = tf.add(tf.square(denominator.re), tf.square(denominator.im));
  const quarter = tf.mul(tf.add(tf.square(z.re), tf.square(z.im)), 0.25);
  return {
    re: tf.mul(0.5, tf.log1p(tf.div(tf.mul(z.re, 2), square))),
    im: tf.atan2(z.im, tf.sub(1, quarter)),
  };
}

/** A kernel cut, or filled with zeros, to a length. */
function toLength(kernel: tf.Tensor2D, length: number): tf.Tensor2D {
  const [channels, taps] = kernel.shape;
  if (taps >= length) return tf.slice2d(kernel, [0, 0], [-1, length]);
  return tf.concat2d([kernel, tf.zeros([channels, length - taps])], 1);
}

export const h3Mixer: MixerKind<H3Config> = {
  positions: false,
  parameters,
  build: (_config, scope) => new H3(scope),
};

export const h3Parameters = (config: H3Config) => backboneParameters(config, h3Mixer);

export const h3 = (config: H3Config, variables: Record<string, tf.Variable>) =>
  backboneModel(config, h3Mixer, variables);
