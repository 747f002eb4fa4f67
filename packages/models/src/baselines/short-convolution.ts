/**
 * A causal convolution of each channel over a few tokens, y_t = Σ_j w_j u_{t−L+1+j} + b. As PyTorch stores it: weight
 * [channels, 1, L], its last tap for the present token.
 */
import { causalConvolution } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { type ParameterTable, uniform } from "../parameters.js";
import type { Scope } from "../scope.js";

export function shortConvolutionParameters(channels: number, taps: number): ParameterTable {
  const initial = uniform(-1 / Math.sqrt(taps), 1 / Math.sqrt(taps));
  return { weight: { shape: [channels, 1, taps], initial }, bias: { shape: [channels], initial } };
}

export function applyShortConvolution(scope: Scope, x: tf.Tensor3D): tf.Tensor3D {
  const weight = scope.get<tf.Tensor3D>("weight");
  const kernel = tf.reverse(tf.squeeze(weight, [1]), 1) as tf.Tensor2D; // by lag
  return tf.add(causalConvolution(x, kernel), scope.get<tf.Tensor1D>("bias"));
}
