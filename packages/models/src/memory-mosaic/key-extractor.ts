/**
 * Keys: what has been going on lately, as a direction. For each head, with forgetting rate λ = |10·leaky_key_beta|,
 *
 *   u_t = Σ_m W_m x_{t−(K−1)+m}                        causal convolution, K = 1: a linear map
 *   k̄_t = e^{−λ} k̄_{t−1} + (1 − e^{−λ}) u_t            leaky average, k̄_{−1} = 0
 *   k_t = g^power · k̄_t / ‖k̄_t‖                        g = exp(min(10·kernel_beta, 5))
 *
 * Since ‖k‖ is fixed, exp(k_i·k_j) is a Gaussian kernel of the distance between keys; larger g is sharper. Contextual
 * keys meet each other and carry g once each; persistent ones meet stored keys without a scale and carry g². Section 4
 * of the paper.
 */
import { leakyAverage, leakyKeys, linear, scaleHeads } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { type Mode, observe } from "../model.js";
import { constant, evenlySpaced, normal, type ParameterTable } from "../parameters.js";
import type { Scope } from "../scope.js";
import type { MemoryMosaicConfig } from "./config.js";

/** The exponent of the key scale is cut here, before the exponential. */
export const LARGEST_EXPONENT = 5;
/** A rate whose e^{−λ} is 0 in float32: the average forgets everything but the present. */
export const FORGET_AT_ONCE = 1000;

export class KeyExtractor {
  static parameters(config: MemoryMosaicConfig): ParameterTable {
    const { width, heads, keyKernel } = config;
    return {
      ...(config.leakyAverage ? { leaky_key_beta: { shape: [heads], initial: evenlySpaced(0.05, 0.5) } } : {}),
      kernel_beta: { shape: [heads], initial: constant(0.1) },
      "k_featurizer.conv.weight": {
        shape: [width, width, keyKernel],
        initial: normal(1 / Math.sqrt(width * keyKernel)),
      },
      ...(config.bias ? { "k_featurizer.conv.bias": { shape: [width], initial: constant(0) } } : {}),
    };
  }

  constructor(
    private readonly config: MemoryMosaicConfig,
    private readonly scope: Scope,
    private readonly power: 1 | 2,
  ) {}

  /** [batch, time, width] → [batch, time, width], heads side by side. */
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D {
    const features = this.features(recent(x, this.config.keyKernel));
    const rate = this.rate();
    const scale = this.scale();
    observe(mode, this.scope.path("keys.linear"), () => features);
    observe(mode, this.scope.path("keys.rate"), () => rate);
    observe(mode, this.scope.path("keys.scale"), () => scale);
    observe(mode, this.scope.path("keys.leaky"), () => leakyAverage(features, rate));
    observe(mode, this.scope.path("keys.unit"), () => leakyKeys(features, rate, tf.onesLike(scale)));
    const keys = this.config.keyNorm
      ? leakyKeys(features, rate, scale)
      : scaleHeads(leakyAverage(features, rate), scale);
    observe(mode, this.scope.path("keys"), () => keys);
    return keys;
  }

  /** u: the linear map of the recent tokens, [batch, time, kernel · width] → [batch, time, width]. */
  features(window: tf.Tensor3D): tf.Tensor3D {
    return linear(window, this.weight(), this.bias());
  }

  /** Of this linear map: [width, kernel · width]. */
  weight(): tf.Tensor2D {
    const { width, keyKernel } = this.config;
    const weight = this.scope.get<tf.Tensor3D>("k_featurizer.conv.weight");
    const flat = keyKernel === 1 ? weight : tf.transpose(weight, [0, 2, 1]); // [out, kernel, in]
    return tf.reshape(flat, [width, keyKernel * width]);
  }

  bias(): tf.Tensor1D | undefined {
    return this.scope.find<tf.Tensor1D>("k_featurizer.conv.bias");
  }

  /** λ per head: [heads]. */
  rate(): tf.Tensor1D {
    if (!this.config.leakyAverage) return tf.fill([this.config.heads], FORGET_AT_ONCE);
    return tf.abs(tf.mul(this.scope.get<tf.Tensor1D>("leaky_key_beta"), 10));
  }

  /** g^power per head: [heads]. */
  scale(): tf.Tensor1D {
    const exponent = tf.minimum(tf.mul(this.scope.get<tf.Tensor1D>("kernel_beta"), 10), LARGEST_EXPONENT);
    return tf.exp(this.power === 1 ? exponent : tf.mul(exponent, this.power)) as tf.Tensor1D;
  }
}

/** The last `count` tokens at each position, oldest first, zeros before the start: [batch, time, count · width]. */
export function recent(x: tf.Tensor3D, count: number): tf.Tensor3D {
  if (count === 1) return x;
  const [batch, time, width] = x.shape;
  const padded = tf.pad3d(x, [
    [0, 0],
    [count - 1, 0],
    [0, 0],
  ]);
  return tf.concat(
    Array.from({ length: count }, (_, m) => tf.slice(padded, [0, m, 0], [batch, time, width])),
    2,
  );
}
