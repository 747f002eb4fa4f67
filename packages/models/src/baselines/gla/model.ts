/**
 * RegBench's gated linear attention (Yang et al., arXiv 2312.06635): a linear memory (@mm/ops' `gatedRead`) whose key features
 * forget at rates that the input sets, keys D = width/2H wide, values E = width/H,
 *
 *   k ← k/√(width/H),   log α = max(log σ(B A x + b)/16, −3),   out = W_o (silu(W_g x + b_g) ∘ LayerNorm_head(y))
 *
 * The clamp acts where the logit is below −48, and passes no gradient there.
 */
import { gatedRead, joinHeads, LOWEST_LOG_GATE, layerNorm, splitHeads } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { applyLinear, linearParameters } from "../../layers/linear.js";
import { silu } from "../../layers/silu.js";
import { type Mode, observe } from "../../model.js";
import { under } from "../../parameters.js";
import type { Scope } from "../../scope.js";
import { backboneModel, backboneParameters, DEVIATION, type MixerKind, outputDeviation } from "../backbone.js";
import type { GlaConfig } from "./config.js";

/** Inner width of the map to the gates. */
const GATE_RANK = 16;
/** Gates are the 16th root of a sigmoid: at first they remember about 23 steps. */
const GATE_ROOT = 16;

/** log α = max(log σ(z)/16, −3) */
export function logGates<X extends tf.Tensor>(logits: X): X {
  // log σ(z) = −softplus(−z); TF.js's own logSigmoid forgets to save its input for the gradient.
  return tf.maximum(tf.mul(tf.softplus(tf.neg(logits)), -1 / GATE_ROOT), LOWEST_LOG_GATE);
}

class GatedLinearAttention {
  constructor(
    private readonly heads: number,
    private readonly scope: Scope,
  ) {}

  /** [batch, time, width] → [batch, time, width] */
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D {
    const { heads, scope } = this;
    const width = x.shape[2] / heads;
    const part = (name: string) => applyLinear(scope.at(name), x);
    const queries = splitHeads(part("q_proj"), heads);
    const keys = splitHeads(tf.mul<tf.Tensor3D>(part("k_proj"), 1 / Math.sqrt(width)), heads);
    const values = splitHeads(part("v_proj"), heads);
    const gates = logGates(applyLinear(scope.at("k_gate.1"), part("k_gate.0")));
    observe(mode, scope.path("queries"), () => joinHeads(queries));
    observe(mode, scope.path("keys"), () => joinHeads(keys));
    observe(mode, scope.path("values"), () => joinHeads(values));
    observe(mode, scope.path("gates"), () => tf.exp(gates));
    const read = layerNorm(gatedRead(queries, keys, values, splitHeads(gates, heads)), tf.ones([width]));
    const joined = joinHeads(read);
    observe(mode, scope.path("read"), () => joined);
    return applyLinear(scope.at("out_proj"), tf.mul(silu(part("g_proj")), joined));
  }
}

export const gatedLinearMixer: MixerKind<GlaConfig> = {
  positions: false,
  parameters: (config) => {
    const { width } = config;
    return {
      ...under("q_proj", linearParameters(width, width / 2, false, DEVIATION)),
      ...under("k_proj", linearParameters(width, width / 2, false, DEVIATION)),
      ...under("k_gate.0", linearParameters(width, GATE_RANK, false, DEVIATION)),
      ...under("k_gate.1", linearParameters(GATE_RANK, width / 2, true, DEVIATION)),
      ...under("v_proj", linearParameters(width, width, false, DEVIATION)),
      ...under("g_proj", linearParameters(width, width, true, DEVIATION)),
      ...under("out_proj", linearParameters(width, width, false, outputDeviation(config))),
    };
  },
  build: (config, scope) => new GatedLinearAttention(config.heads, scope),
};

export const glaParameters = (config: GlaConfig) => backboneParameters(config, gatedLinearMixer);

export const gla = (config: GlaConfig, variables: Record<string, tf.Variable>) =>
  backboneModel(config, gatedLinearMixer, variables);
