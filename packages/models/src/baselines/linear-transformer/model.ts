/**
 * RegBench's linear Transformer: attention without softmax, feature map and normaliser, learned positions,
 *
 *   y_t = Σ_{s≤t} dropout(q_t·k_s / √D) v_s,   or recurrently  S_t = S_{t−1} + k_t v_tᵀ,  y_t = S_tᵀ q_t / √D
 *
 * Nothing keeps y from growing with t; the norm of the next sublayer takes it back.
 */
import { decayingRead, dropout, joinHeads, splitHeads } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { attentionParameters } from "../../layers/attention.js";
import { applyLinear } from "../../layers/linear.js";
import { dropoutAt, type Mode, observe } from "../../model.js";
import type { Scope } from "../../scope.js";
import { backboneModel, backboneParameters, DEVIATION, type MixerKind, outputDeviation } from "../backbone.js";
import type { LinearTransformerConfig } from "./config.js";

const NAMES = { input: "Wqkv", output: "out_proj" };

class LinearAttention {
  constructor(
    private readonly heads: number,
    /** Dropout rate of the products q·k. */
    private readonly rate: number,
    private readonly scope: Scope,
  ) {}

  /** [batch, time, width] → [batch, time, width] */
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D {
    const { heads, scope } = this;
    const parts = tf.split(applyLinear(scope.at(NAMES.input), x), 3, 2);
    const [queries, keys, values] = parts.map((part) => splitHeads(part as tf.Tensor3D, heads)) as [
      tf.Tensor4D,
      tf.Tensor4D,
      tf.Tensor4D,
    ];
    observe(mode, scope.path("queries"), () => joinHeads(queries));
    observe(mode, scope.path("keys"), () => joinHeads(keys));
    observe(mode, scope.path("values"), () => joinHeads(values));
    const scaled = tf.mul<tf.Tensor4D>(queries, 1 / Math.sqrt(queries.shape[3]));
    observe(mode, scope.path("weights"), () => causalProducts(scaled, keys));
    const mask = dropoutAt(mode, scope.path("read"), this.rate);
    // Dropout acts on each pair of positions, so in training all of them have to be formed.
    const read = mask
      ? tf.matMul<tf.Tensor4D>(dropout(causalProducts(scaled, keys), mask), values)
      : decayingRead(scaled, keys, values, Array(heads).fill(1));
    const joined = joinHeads(read);
    observe(mode, scope.path("read"), () => joined);
    return applyLinear(scope.at(NAMES.output), joined);
  }
}

/** q_t·k_s for s ≤ t, else 0: [B, H, T, T]. */
function causalProducts(queries: tf.Tensor4D, keys: tf.Tensor4D): tf.Tensor4D {
  const steps = tf.range(0, keys.shape[2]);
  const past = tf.lessEqual(steps.expandDims(0), steps.expandDims(1)).toFloat(); // [T, T]
  return tf.mul(tf.matMul(queries, keys, false, true), past);
}

export const linearAttentionMixer: MixerKind<LinearTransformerConfig> = {
  positions: true,
  parameters: (config) =>
    attentionParameters({ width: config.width, bias: true }, [DEVIATION, outputDeviation(config)], NAMES),
  build: (config, scope) => new LinearAttention(config.heads, config.dropout, scope),
};

export const linearTransformerParameters = (config: LinearTransformerConfig) =>
  backboneParameters(config, linearAttentionMixer);

export const linearTransformer = (config: LinearTransformerConfig, variables: Record<string, tf.Variable>) =>
  backboneModel(config, linearAttentionMixer, variables);
