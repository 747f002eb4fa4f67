/**
 * Diagonal state-space layers: each channel has N complex modes, of which the conjugate halves are left out. As a
 * recurrence and as a convolution (Gu et al., "On the parameterization and initialization of diagonal state space models",
 * arXiv 2206.11893, section 3),
 *
 *   h_n,t = e^{z_n} h_n,t−1 + u_t,   y_t = 2 Re Σ_n c_n h_n,t;      K_l = 2 Re Σ_n c_n e^{l z_n},   y = K ∗ u
 *
 * with Re z ≤ 0, so nothing grows.
 */
import * as tf from "@tensorflow/tfjs";
import { type Initial, uniform } from "../parameters.js";

/** A complex tensor as two real ones. */
export interface Complex {
  readonly re: tf.Tensor;
  readonly im: tf.Tensor;
}

/** Takes apart a parameter whose last axis is (re, im). */
export function complexParameter(stored: tf.Tensor): Complex {
  const [re, im] = tf.unstack(stored, stored.rank - 1) as [tf.Tensor, tf.Tensor];
  return { re, im };
}

export function multiply(a: Complex, b: Complex): Complex {
  return {
    re: tf.sub(tf.mul(a.re, b.re), tf.mul(a.im, b.im)),
    im: tf.add(tf.mul(a.re, b.im), tf.mul(a.im, b.re)),
  };
}

/** a/b */
export function divide(a: Complex, b: Complex): Complex {
  const square = tf.add(tf.square(b.re), tf.square(b.im));
  const { re, im } = multiply(a, { re: b.re, im: tf.neg(b.im) });
  return { re: tf.div(re, square), im: tf.div(im, square) };
}

/**
 * The kernel of the modes. With l = S·a + b the powers factor, e^{l z} = e^{S a z} e^{b z}: only about 2√length powers
 * of each mode are formed, and a small product per channel combines them.
 *
 * @param weights c [channels, modes]
 * @param exponents z [channels, modes]
 * @returns K [channels, length]
 */
export function modeKernel(weights: Complex, exponents: Complex, length: number): tf.Tensor2D {
  return tf.tidy(() => {
    const stride = Math.ceil(Math.sqrt(length));
    const coarse = multiply(expandedModes(weights), powers(exponents, Math.ceil(length / stride), stride));
    const fine = powers(exponents, stride, 1);
    const left = tf.concat([coarse.re, tf.neg(coarse.im)], 2); // [channels, length/S, 2·modes]
    const right = tf.concat([fine.re, fine.im], 2); // [channels, S, 2·modes]
    const kernel = tf.mul(tf.matMul(left, right, false, true), 2);
    return tf.slice2d(tf.reshape(kernel, [kernel.shape[0]!, -1]), [0, 0], [-1, length]);
  });
}

/** The recurrent form, one step after another: the definition. u [batch, time, channels] → the same shape. */
export function modeRecurrence(u: tf.Tensor3D, weights: Complex, exponents: Complex): tf.Tensor3D {
  return tf.tidy(() => {
    const growth = tf.exp(exponents.re);
    const step = { re: tf.mul(growth, tf.cos(exponents.im)), im: tf.mul(growth, tf.sin(exponents.im)) };
    let state: Complex = { re: tf.scalar(0), im: tf.scalar(0) };
    const outputs = tf.unstack(u, 1).map((input) => {
      const next = multiply(step, state);
      state = { re: tf.add(next.re, tf.expandDims(input, 2)), im: next.im }; // [batch, channels, modes]
      return tf.mul(2, tf.sum(multiply(weights, state).re, 2));
    });
    return tf.stack(outputs, 1) as tf.Tensor3D;
  });
}

/** A kernel with `direct` [channels], the weight of the present input, added to its first tap. */
export function withDirectTerm(kernel: tf.Tensor2D, direct: tf.Tensor): tf.Tensor2D {
  const [channels, length] = kernel.shape;
  const first = tf.reshape(direct, [channels, 1]) as tf.Tensor2D;
  return tf.add(
    kernel,
    tf.pad2d(first, [
      [0, 0],
      [0, length - 1],
    ]),
  );
}

/** e^{k·stride·z} for k < count: [channels, modes] → [channels, count, modes] */
function powers(exponents: Complex, count: number, stride: number): Complex {
  const steps = tf.reshape(tf.range(0, count), [1, count, 1]).mul(stride);
  const { re, im } = expandedModes(exponents);
  const modulus = tf.exp(tf.mul(steps, re));
  const angle = tf.mul(steps, im);
  return { re: tf.mul(modulus, tf.cos(angle)), im: tf.mul(modulus, tf.sin(angle)) };
}

/** [channels, modes] → [channels, 1, modes] */
function expandedModes({ re, im }: Complex): Complex {
  return { re: tf.expandDims(re, 1), im: tf.expandDims(im, 1) };
}

/** Logarithms of step sizes that are log-uniform from 0.001 to 0.1. */
export const logStepSizes: Initial = uniform(Math.log(1e-3), Math.log(1e-1));
