/**
 * RegBench's RetNet: heads that forget at rates γ_h = 1 − 2^{−5−h}, keys D = width/H wide, values E = 2·width/H,
 *
 *   k ← rotated k/√D, q ← rotated q,   D_ts = γ^{t−s} / √(Σ_s γ^{t−s}) for s ≤ t,   S_ts = (q_t·k_s) D_ts
 *   y_t = Σ_s S_ts v_s / max(1, |Σ_s S_ts|),   out = W_o (silu(g) ∘ LayerNorm_head(y))
 *
 * The last divisor counts as a constant for the gradient, as in the published code. The head's norm would make both
 * factors of a row irrelevant, were it not for its epsilon: y is small at the start of training.
 */
import { decayingRead, joinHeads, layerNorm, splitHeads, withGradient } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { applyLinear, linearParameters } from "../../layers/linear.js";
import { silu } from "../../layers/silu.js";
import { type Mode, observe } from "../../model.js";
import { under } from "../../parameters.js";
import type { Scope } from "../../scope.js";
import { backboneModel, backboneParameters, DEVIATION, type MixerKind, outputDeviation } from "../backbone.js";
import type { RetNetConfig } from "./config.js";
import { rotation } from "./rotation.js";

type Read = (queries: tf.Tensor4D, keys: tf.Tensor4D, values: tf.Tensor4D, decays: readonly number[]) => tf.Tensor4D;

/** γ_h = 1 − 2^{−5−h} */
export const retentionDecays = (heads: number) => Array.from({ length: heads }, (_, h) => 1 - 2 ** (-5 - h));

/**
 * Normalised retention.
 *
 * @param queries and keys [B, H, T, D], rotated and scaled
 * @param values [B, H, T, E]
 * @param read the memory: chunked, or its recurrent definition
 * @returns [B, H, T, E]
 */
export function retention(
  queries: tf.Tensor4D,
  keys: tf.Tensor4D,
  values: tf.Tensor4D,
  read: Read = decayingRead,
): tf.Tensor4D {
  const [batch, heads, time, wide] = values.shape;
  const decays = retentionDecays(heads);
  // A value of 1 at the end of each row becomes the sum of its weights.
  const ended = tf.concat([values, tf.ones([batch, heads, time, 1])], 3);
  return dividedByEnd(read(queries, keys, ended as tf.Tensor4D, decays), rowScales(decays, time), wide);
}

/** 1/√(Σ_{s≤t} γ^{t−s}): [1, H, T, 1]. */
function rowScales(decays: readonly number[], time: number): tf.Tensor {
  const scales = decays.flatMap((decay) =>
    Array.from({ length: time }, (_, t) => Math.sqrt((1 - decay) / (1 - decay ** (t + 1)))),
  );
  return tf.tensor(scales, [1, decays.length, time, 1]);
}

/** y·c / max(1, |s·c|) for rows (y, s) with the scale c; the divisor takes no part in the gradient. */
function dividedByEnd(rows: tf.Tensor4D, scales: tf.Tensor, wide: number): tf.Tensor4D {
  return withGradient<tf.Tensor4D>(
    [rows],
    (save) => {
      const sums = tf.slice4d(rows, [0, 0, 0, wide], [-1, -1, -1, 1]);
      const factors = tf.div(scales, tf.maximum(tf.abs(tf.mul(sums, scales)), 1));
      save([factors]);
      return tf.mul(tf.slice4d(rows, [0, 0, 0, 0], [-1, -1, -1, wide]), factors);
    },
    (dy, [factors]) => [
      tf.pad4d(tf.mul(dy, factors!), [
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 1],
      ]),
    ],
  );
}

class Retention {
  constructor(
    private readonly heads: number,
    private readonly scope: Scope,
  ) {}

  /** [batch, time, width] → [batch, time, width] */
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D {
    const { heads, scope } = this;
    const width = x.shape[2] / heads;
    const rotate = rotation(x.shape[1], width);
    const part = (name: string) => applyLinear(scope.at(name), x);
    const queries = rotate(splitHeads(part("q_proj"), heads));
    const keys = rotate(splitHeads(tf.mul<tf.Tensor3D>(part("k_proj"), 1 / Math.sqrt(width)), heads));
    const values = splitHeads(part("v_proj"), heads);
    observe(mode, scope.path("queries"), () => joinHeads(queries));
    observe(mode, scope.path("keys"), () => joinHeads(keys));
    observe(mode, scope.path("values"), () => joinHeads(values));
    const read = layerNorm(retention(queries, keys, values), tf.ones([2 * width]));
    const joined = joinHeads(read);
    observe(mode, scope.path("read"), () => joined);
    return applyLinear(scope.at("out_proj"), tf.mul(silu(part("g_proj")), joined));
  }
}

export const retentionMixer: MixerKind<RetNetConfig> = {
  positions: false,
  parameters: (config) => {
    const { width } = config;
    return {
      ...under("q_proj", linearParameters(width, width, true, DEVIATION)),
      ...under("k_proj", linearParameters(width, width, true, DEVIATION)),
      ...under("v_proj", linearParameters(width, 2 * width, true, DEVIATION)),
      ...under("g_proj", linearParameters(width, 2 * width, true, DEVIATION)),
      ...under("out_proj", linearParameters(2 * width, width, true, outputDeviation(config))),
    };
  },
  build: (config, scope) => new Retention(config.heads, scope),
};

export const retnetParameters = (config: RetNetConfig) => backboneParameters(config, retentionMixer);

export const retnet = (config: RetNetConfig, variables: Record<string, tf.Variable>) =>
  backboneModel(config, retentionMixer, variables);
