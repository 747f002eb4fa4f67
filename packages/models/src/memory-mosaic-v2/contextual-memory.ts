/**
 * A contextual memory of v2: it reads the pairs between two distances, as sharply as their number asks for,
 *
 *   y_t = Σ_j softmax_j(β(n_t) k_t·k_j) v_j   over   t − farthest ≤ j ≤ t − nearest,   n_t of them
 *   v_t = α v̄_t/‖v̄_t‖,   v̄_t = γ w_t + (1 − γ) w_{t+1},   w = W x,   α = exp(min(|θ|, 15))
 *
 * The short-term memory has parameters, keys and pairs of its own, and so has the long-term memory. β is folded into the
 * queries, so that the read is the one of all memories. θ starts at 0, the kink of |θ|: α can only grow from 1. (TF.js
 * takes the slope −1 there, so it moves; where the slope at a kink is 0, as in PyTorch, it would stay.) Section 3.3.
 */
import { causalRead, linear, peekValues } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { dropoutAt, type Mode, observe } from "../model.js";
import { clippedNormal, constant, type ParameterTable, uniform } from "../parameters.js";
import { causalWeights } from "../read-weights.js";
import type { Scope } from "../scope.js";
import { AdaptiveBandwidth } from "./adaptive-bandwidth.js";
import { type MemoryMosaicV2Config, matrixDeviation } from "./config.js";
import { GatedKeys } from "./gated-keys.js";

/** How far a stored value looks ahead. */
export const PEEK = 1;
const LARGEST_EXPONENT = 15;

/** Distances of the pairs in reach. */
export interface Reach {
  readonly nearest: number;
  /** None: back to the beginning. */
  readonly farthest?: number;
}

/** The h − 1 newest pairs. */
export function shortReach({ shortWindow }: MemoryMosaicV2Config): Reach {
  return { nearest: PEEK, farthest: shortWindow - 1 };
}

/** The pairs from a distance on, which in training is drawn once for each pass. */
export function longReach({ longDistance, longDistanceInTraining }: MemoryMosaicV2Config, mode: Mode): Reach {
  if (!mode.training) return { nearest: longDistance };
  return { nearest: mode.dropout.fork("longDistance").integer(longDistance, longDistanceInTraining + 1) };
}

/** Number of pairs in the reach of the query at this position. */
export function pairsInReach(position: number, { nearest, farthest = position }: Reach): number {
  return Math.max(0, Math.min(position, farthest) - nearest + 1);
}

export class ContextualMemory {
  static parameters(config: MemoryMosaicV2Config, block: number): ParameterTable {
    const { width, heads } = config;
    return {
      ...GatedKeys.parameters(config, block),
      ...AdaptiveBandwidth.parameters(config),
      "value.weight": { shape: [width, width], initial: clippedNormal(matrixDeviation(width, block)) },
      "value.mix": { shape: [heads], initial: uniform(0, 1) },
      "value.scale": { shape: [heads], initial: constant(0) },
    };
  }

  readonly keys: GatedKeys;
  private readonly bandwidth: AdaptiveBandwidth;

  constructor(
    private readonly config: MemoryMosaicV2Config,
    private readonly scope: Scope,
  ) {
    this.keys = new GatedKeys(config, scope);
    this.bandwidth = new AdaptiveBandwidth(config, scope);
  }

  /** [batch, time, width] → [batch, time, width] */
  apply(x: tf.Tensor3D, reach: Reach, mode: Mode): tf.Tensor3D {
    const { heads, contextualDropout } = this.config;
    const keys = this.keys.apply(x, mode);
    const queries = this.queries(keys, 0, reach);
    const values = this.values(this.features(x));
    observe(mode, this.scope.path("values"), () => values);
    observe(mode, this.scope.path("weights"), () => causalWeights(queries, keys, { heads, ...reach }));
    const dropout = dropoutAt(mode, this.scope.path("read"), contextualDropout);
    const read = causalRead(queries, keys, values, { heads, ...reach, dropout });
    observe(mode, this.scope.path("read"), () => read);
    return read;
  }

  /** β k of keys that stand at position `at`, at + 1, …: [batch, time, width]. */
  queries(keys: tf.Tensor3D, at: number, reach: Reach): tf.Tensor3D {
    const [, time, width] = keys.shape;
    const { heads } = this.config;
    const pairs = Array.from({ length: time }, (_, i) => pairsInReach(at + i, reach));
    const perHead = tf.reshape(this.bandwidth.apply(pairs), [time, heads, 1]);
    return tf.mul(keys, tf.reshape(tf.mul(perHead, tf.ones([width / heads])), [time, width]));
  }

  /** w: [batch, time, width] → [batch, time, width]. */
  features(x: tf.Tensor3D): tf.Tensor3D {
    return linear(x, this.scope.get<tf.Tensor2D>("value.weight")) as tf.Tensor3D;
  }

  /** The values of features, of which the last cannot peek: [batch, time, width] → [batch, time, width]. */
  values(features: tf.Tensor3D): tf.Tensor3D {
    const exponent = tf.minimum<tf.Tensor1D>(tf.abs(this.scope.get<tf.Tensor1D>("value.scale")), LARGEST_EXPONENT);
    return peekValues(features, this.scope.get<tf.Tensor1D>("value.mix"), tf.exp(exponent), PEEK);
  }
}
