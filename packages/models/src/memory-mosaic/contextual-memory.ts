/**
 * Contextual memory: stores this sequence's own (key, value) pairs and reads them by kernel regression,
 *
 *   y_i = Σ_{j ≤ i−s} softmax_j(k_i · k_j) v_j
 *
 * The key is also the query. A stored value has peeked s tokens ahead, so the s newest pairs are out of reach; the first
 * s rows have nothing to read and give exactly 0. Section 3 of the paper.
 */
import { contextualRead } from "@mm/ops";
import type * as tf from "@tensorflow/tfjs";
import { applyLinear, linearParameters } from "../layers/linear.js";
import { dropoutAt, type Mode, observe } from "../model.js";
import { type ParameterTable, under } from "../parameters.js";
import { causalWeights } from "../read-weights.js";
import type { Scope } from "../scope.js";
import { type MemoryMosaicConfig, projectionDeviation } from "./config.js";
import { KeyExtractor } from "./key-extractor.js";
import { ValueExtractor } from "./value-extractor.js";

export class ContextualMemory {
  static parameters(config: MemoryMosaicConfig): ParameterTable {
    const { width, bias } = config;
    return {
      ...KeyExtractor.parameters(config),
      ...ValueExtractor.parameters(config),
      ...under("c_proj", linearParameters(width, width, bias, projectionDeviation(config))),
    };
  }

  private readonly keys: KeyExtractor;
  private readonly values: ValueExtractor;

  constructor(
    private readonly config: MemoryMosaicConfig,
    private readonly scope: Scope,
  ) {
    this.keys = new KeyExtractor(config, scope, 1);
    this.values = new ValueExtractor(config, scope);
  }

  /** [batch, time, width] → [batch, time, width] */
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D {
    const { heads, peekShift: shift, contextualDropout } = this.config;
    const keys = this.keys.apply(x, mode);
    const values = this.values.apply(x, mode);
    const dropout = dropoutAt(mode, this.scope.path("read"), contextualDropout);
    observe(mode, this.scope.path("weights"), () => causalWeights(keys, keys, { heads, nearest: shift }));
    const read = contextualRead(keys, values, { heads, shift, dropout });
    observe(mode, this.scope.path("read"), () => read);
    return applyLinear(this.scope.at("c_proj"), read);
  }
}
