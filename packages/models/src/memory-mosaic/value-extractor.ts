/**
 * Values: what came next, as a direction. For each head, with a free mixing coefficient c (`v_featurizer.coef`, not
 * limited to [0, 1]) and w_t = W x_t,
 *
 *   v̄_t = c w_t + (1 − c) w_{t+s}                       w is 0 beyond the last token
 *   v_t = exp(10·value_beta) · v̄_t / ‖v̄_t‖
 *
 * The value at t has peeked s tokens ahead, so nothing before t + s may read it. Section 4 of the paper.
 */
import { peekValues } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { applyLinear, linearParameters } from "../layers/linear.js";
import { type Mode, observe } from "../model.js";
import { constant, type ParameterTable, under, uniform } from "../parameters.js";
import type { Scope } from "../scope.js";
import type { MemoryMosaicConfig } from "./config.js";

export class ValueExtractor {
  static parameters(config: MemoryMosaicConfig): ParameterTable {
    return {
      value_beta: { shape: [config.heads], initial: constant(-0.05) },
      ...(config.peek ? { "v_featurizer.coef": { shape: [config.heads], initial: uniform(0, 1) } } : {}),
      ...under("v_featurizer.linear", linearParameters(config.width, config.width, config.bias)),
    };
  }

  constructor(
    private readonly config: MemoryMosaicConfig,
    private readonly scope: Scope,
  ) {}

  /** [batch, time, width] → [batch, time, width], heads side by side. */
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D {
    const { peek, peekShift, heads } = this.config;
    const features = applyLinear(this.scope.at("v_featurizer.linear"), x);
    const mix = peek ? this.scope.get<tf.Tensor1D>("v_featurizer.coef") : (tf.ones([heads]) as tf.Tensor1D);
    const scale = valueScale(this.scope);
    observe(mode, this.scope.path("values.linear"), () => features);
    observe(mode, this.scope.path("values.mix"), () => mix);
    observe(mode, this.scope.path("values.unit"), () => peekValues(features, mix, tf.onesLike(scale), peekShift));
    const values = peekValues(features, mix, scale, peekShift);
    observe(mode, this.scope.path("values"), () => values);
    return values;
  }
}

/** exp(10·value_beta) per head: [heads]. */
export function valueScale(scope: Scope): tf.Tensor1D {
  return tf.exp(tf.mul(scope.get<tf.Tensor1D>("value_beta"), 10)) as tf.Tensor1D;
}
