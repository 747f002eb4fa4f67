/**
 * Persistent memory: (key, value) pairs that are learned, R banks of P slots per head,
 *
 *   y_t = exp(10·value_beta) · (1/R) Σ_r Σ_p softmax_p(k_t · K_rp) V_rp
 *
 * It takes the place of a transformer's feed-forward network. Section 5 of the paper.
 */
import { persistentRead, scaleHeads } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { applyLinear, linearParameters } from "../layers/linear.js";
import { dropoutAt, type Mode, observe } from "../model.js";
import { constant, normal, type ParameterTable, under } from "../parameters.js";
import { slotWeights } from "../read-weights.js";
import type { Scope } from "../scope.js";
import { type MemoryMosaicConfig, projectionDeviation } from "./config.js";
import { KeyExtractor } from "./key-extractor.js";
import { valueScale } from "./value-extractor.js";

export class PersistentMemory {
  static parameters(config: MemoryMosaicConfig): ParameterTable {
    const { width, heads, slots, persistentBanks, bias } = config;
    const features = width / heads;
    const pairs = { shape: [1, heads, slots, features], initial: normal(1 / Math.sqrt(features)) };
    const banks = Array.from({ length: persistentBanks }, (_, r) => ({
      [`pmem.M_k${r}`]: pairs,
      [`pmem.M_v${r}`]: pairs,
    }));
    return {
      ...KeyExtractor.parameters(config),
      value_beta: { shape: [heads], initial: constant(-0.05) },
      ...Object.assign({}, ...banks),
      ...under("c_proj", linearParameters(width, width, bias, projectionDeviation(config))),
    };
  }

  private readonly keys: KeyExtractor;

  constructor(
    private readonly config: MemoryMosaicConfig,
    private readonly scope: Scope,
  ) {
    this.keys = new KeyExtractor(config, scope, 2);
  }

  /** [batch, time, width] → [batch, time, width] */
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D {
    const keys = this.keys.apply(x, mode);
    const banks = Array.from({ length: this.config.persistentBanks }, (_, r) => this.readBank(keys, r, mode));
    const mean = banks.length === 1 ? banks[0]! : tf.div<tf.Tensor3D>(tf.addN(banks), banks.length);
    observe(mode, this.scope.path("read"), () => mean);
    const scaled = scaleHeads(mean, valueScale(this.scope));
    observe(mode, this.scope.path("values"), () => scaled);
    return applyLinear(this.scope.at("c_proj"), scaled);
  }

  private readBank(keys: tf.Tensor3D, r: number, mode: Mode): tf.Tensor3D {
    const slotKeys = this.scope.get<tf.Tensor4D>(`pmem.M_k${r}`);
    const slotValues = this.scope.get<tf.Tensor4D>(`pmem.M_v${r}`);
    observe(mode, this.scope.path(`weights.${r}`), () => slotWeights(keys, slotKeys));
    const dropout = dropoutAt(mode, this.scope.path(`read.${r}`), this.config.persistentDropout);
    return persistentRead(keys, slotKeys, slotValues, { dropout });
  }
}
