/**
 * Keys whose past fades as the tokens say: what to take in and what to forget depends on the input. For each head,
 *
 *   k̃_t = W x_t,   g_t = exp(w_g·x_t),   λ_t = exp(−|w_λ·x_t|)
 *   k̄_t = λ_t k̄_{t−1} + g_t k̃_t,   k_t = k̄_t / ‖k̄_t‖
 *
 * Only the direction of k̄ counts. g has no bound in the paper; here its exponent is cut at ±30, where squares of keys
 * still fit into float32. Section 3.2.
 */
import { leakyKeys, linear, linearRecurrence } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { FORGET_AT_ONCE } from "../memory-mosaic/key-extractor.js";
import { type Mode, observe } from "../model.js";
import { clippedNormal, evenlySpaced, type ParameterTable } from "../parameters.js";
import type { Scope } from "../scope.js";
import { type MemoryMosaicV2Config, matrixDeviation } from "./config.js";

const LARGEST_EXPONENT = 30;

export class GatedKeys {
  static parameters({ width, heads, timeVariantKeys }: MemoryMosaicV2Config, block: number): ParameterTable {
    const initial = clippedNormal(matrixDeviation(width, block));
    return {
      "key.weight": { shape: [width, width], initial },
      ...(timeVariantKeys
        ? {
            "gate.weight": { shape: [heads, width], initial },
            "forget.weight": { shape: [heads, width], initial },
          }
        : // As in v1: λ = exp(−|10 b|), from e^−0.5 to e^−5.
          { forget: { shape: [heads], initial: evenlySpaced(0.05, 0.5) } }),
    };
  }

  constructor(
    private readonly config: MemoryMosaicV2Config,
    private readonly scope: Scope,
  ) {}

  /** Unit vectors per head: [batch, time, width] → [batch, time, width]. */
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D {
    const { decay, input } = this.steps(x);
    const averages = linearRecurrence(decay, input);
    observe(mode, this.scope.path("keys.average"), () => averages);
    const keys = this.unit(averages);
    observe(mode, this.scope.path("keys"), () => keys);
    return keys;
  }

  /** λ_t and g_t k̃_t, both spread over the features: [batch, time, width]. */
  steps(x: tf.Tensor3D): { decay: tf.Tensor3D; input: tf.Tensor3D } {
    const features = linear(x, this.scope.get<tf.Tensor2D>("key.weight")) as tf.Tensor3D;
    const gate = this.scope.find<tf.Tensor2D>("gate.weight");
    if (gate === undefined) {
      const rates = tf.neg(tf.abs(tf.mul(this.scope.get<tf.Tensor1D>("forget"), 10)));
      const perHead = tf.broadcastTo(tf.exp(rates), [x.shape[0], x.shape[1], this.config.heads]) as tf.Tensor3D;
      return { decay: this.spread(perHead), input: features };
    }
    const taken = tf.exp(tf.clipByValue(linear(x, gate), -LARGEST_EXPONENT, LARGEST_EXPONENT)) as tf.Tensor3D;
    const forget = linear(x, this.scope.get<tf.Tensor2D>("forget.weight"));
    const kept = tf.exp(tf.neg(tf.abs(forget))) as tf.Tensor3D;
    return { decay: this.spread(kept), input: tf.mul(this.spread(taken), features) };
  }

  unit(averages: tf.Tensor3D): tf.Tensor3D {
    const { heads } = this.config;
    return leakyKeys(averages, tf.fill([heads], FORGET_AT_ONCE), tf.ones([heads]));
  }

  /** One number per head, for all of its features: [batch, time, heads] → [batch, time, width]. */
  private spread(perHead: tf.Tensor3D): tf.Tensor3D {
    const [batch, time, heads] = perHead.shape;
    const { width } = this.config;
    const wide = tf.mul(tf.reshape(perHead, [batch, time, heads, 1]), tf.ones([width / heads]));
    return tf.reshape(wide, [batch, time, width]);
  }
}
