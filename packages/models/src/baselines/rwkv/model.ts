/**
 * RegBench's RWKV: the time mixing of RWKV-4 (Peng et al., arXiv 2305.13048) with the feed-forward network of all baselines
 * in the place of its channel mixing. With x' the input one step earlier (0 at first),
 *
 *   k = W_k (m_k ∘ x + (1 − m_k) ∘ x'),   v and r likewise,   out = W_o (σ(r) ∘ y),   y of @mm/ops' `weightedMean`
 *
 * with w = e^{time_decay}. Initially m, time_decay and u are normal numbers, not the ramps of RWKV's authors.
 */
import { causalConvolution, type DecaySign, linear, weightedMean } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { linearParameters } from "../../layers/linear.js";
import { type Mode, observe } from "../../model.js";
import { normal, under } from "../../parameters.js";
import type { Scope } from "../../scope.js";
import { backboneModel, backboneParameters, DEVIATION, type MixerKind } from "../backbone.js";
import type { RwkvConfig } from "./config.js";

class TimeMix {
  constructor(
    private readonly sign: DecaySign,
    private readonly scope: Scope,
  ) {}

  /** [batch, time, width] → [batch, time, width] */
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D {
    const { scope, sign } = this;
    const part = (name: string, mixing: string) => {
      const now = tf.reshape(scope.get(mixing), [-1]);
      const mixed = causalConvolution(x, tf.stack([now, tf.sub(1, now)], 1) as tf.Tensor2D); // taps of now and before
      return linear(mixed, scope.get<tf.Tensor2D>(`${name}.weight`));
    };
    const keys = part("key", "time_mix_k");
    const values = part("value", "time_mix_v");
    const receptance = tf.sigmoid(part("receptance", "time_mix_r"));
    const decay = tf.exp(scope.get<tf.Tensor1D>("time_decay"));
    const mean = weightedMean(keys, values, { decay, first: scope.get("time_first"), sign });
    observe(mode, scope.path("keys"), () => keys);
    observe(mode, scope.path("values"), () => values);
    observe(mode, scope.path("read"), () => mean);
    return linear(tf.mul<tf.Tensor3D>(receptance, mean), scope.get<tf.Tensor2D>("output.weight"));
  }
}

export const timeMixer: MixerKind<RwkvConfig> = {
  positions: false,
  parameters: ({ width }) => {
    const drawn = { shape: [width], initial: normal(1) };
    const mixing = { shape: [1, 1, width], initial: normal(1) };
    const square = linearParameters(width, width, false, DEVIATION);
    return {
      time_decay: drawn,
      time_first: drawn,
      time_mix_k: mixing,
      time_mix_v: mixing,
      time_mix_r: mixing,
      ...under("key", square),
      ...under("value", square),
      ...under("receptance", square),
      ...under("output", square),
    };
  },
  build: ({ decaySign }, scope) => new TimeMix(decaySign, scope),
};

export const rwkvParameters = (config: RwkvConfig) => backboneParameters(config, timeMixer);

export const rwkv = (config: RwkvConfig, variables: Record<string, tf.Variable>) =>
  backboneModel(config, timeMixer, variables);
