/**
 * Adaptive bandwidth: the more pairs are stored, the sharper they are read. With n pairs in reach, for each head,
 *
 *   β(n) = β₁ n^α + β₀,   β₀ = exp(min(θ₀, 10)),  β₁ = exp(min(θ₁, 10)),  α = min(|θ₂|, 1)
 *
 * Kernel regression in p dimensions wants a bandwidth 1/√β that shrinks like n^(−1/(p+4)). Section 3.1, table 6.
 */
import * as tf from "@tensorflow/tfjs";
import { constant, type ParameterTable } from "../parameters.js";
import type { Scope } from "../scope.js";
import type { MemoryMosaicV2Config } from "./config.js";

const LARGEST_EXPONENT = 10;

export class AdaptiveBandwidth {
  static parameters({ heads, adaptiveBandwidth }: MemoryMosaicV2Config): ParameterTable {
    const perHead = (value: number) => ({ shape: [heads], initial: constant(value) });
    return {
      "bandwidth.offset": perHead(1.5),
      "bandwidth.factor": perHead(1.5),
      ...(adaptiveBandwidth ? { "bandwidth.exponent": perHead(1 / 3) } : {}),
    };
  }

  constructor(
    private readonly config: MemoryMosaicV2Config,
    private readonly scope: Scope,
  ) {}

  /**
   * @param pairs how many pairs each query has in reach; where there are none, β is that of one
   * @returns [queries, heads]
   */
  apply(pairs: readonly number[]): tf.Tensor2D {
    const { heads } = this.config;
    const offset = positive(this.scope.get("bandwidth.offset"));
    const factor = positive(this.scope.get("bandwidth.factor"));
    const exponent = this.scope.find<tf.Tensor1D>("bandwidth.exponent");
    if (exponent === undefined) return tf.broadcastTo(tf.add(factor, offset), [pairs.length, heads]) as tf.Tensor2D;
    const logarithms = tf.tensor2d(
      pairs.map((count) => Math.log(Math.max(1, count))),
      [pairs.length, 1],
    );
    const growth = tf.exp(tf.mul(logarithms, tf.minimum(tf.abs(exponent), 1)));
    return tf.add(tf.mul(growth, factor), offset);
  }
}

function positive(stored: tf.Tensor1D): tf.Tensor1D {
  return tf.exp(tf.minimum(stored, LARGEST_EXPONENT));
}
