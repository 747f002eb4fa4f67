/** Causal self-attention: y_i = Σ_{j ≤ i} softmax_j(q_i·k_j / √D) v_j, the diagonal included. */
import { causalRead } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { dropoutAt, type Mode, observe } from "../model.js";
import { type ParameterTable, under } from "../parameters.js";
import { causalWeights } from "../read-weights.js";
import type { Scope } from "../scope.js";
import { applyLinear, linearParameters } from "./linear.js";

/** What a model's authors call the map to queries, keys and values (in this order), and the map of the result. */
export interface AttentionNames {
  readonly input: string;
  readonly output: string;
}

/** Deviations of the initial weights: of the map in, and of the map out. */
export type BranchDeviations = readonly [input: number, output: number];

export function attentionParameters(
  { width, bias }: { width: number; bias: boolean },
  [deviation, outputDeviation]: BranchDeviations,
  names: AttentionNames,
): ParameterTable {
  return {
    ...under(names.input, linearParameters(width, 3 * width, bias, deviation)),
    ...under(names.output, linearParameters(width, width, bias, outputDeviation)),
  };
}

export class Attention {
  constructor(
    private readonly heads: number,
    /** Dropout rate of the attention weights. */
    private readonly rate: number,
    private readonly scope: Scope,
    private readonly names: AttentionNames,
  ) {}

  /** [batch, time, width] → [batch, time, width] */
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D {
    const { heads, names } = this;
    const scale = 1 / Math.sqrt(x.shape[2] / heads);
    const [queries, keys, values] = tf.split(applyLinear(this.scope.at(names.input), x), 3, 2) as [
      tf.Tensor3D,
      tf.Tensor3D,
      tf.Tensor3D,
    ];
    observe(mode, this.scope.path("queries"), () => queries);
    observe(mode, this.scope.path("keys"), () => keys);
    observe(mode, this.scope.path("values"), () => values);
    observe(mode, this.scope.path("weights"), () => causalWeights(queries, keys, { heads, nearest: 0, scale }));
    const dropout = dropoutAt(mode, this.scope.path("read"), this.rate);
    const read = causalRead(queries, keys, values, { heads, nearest: 0, scale, dropout });
    observe(mode, this.scope.path("read"), () => read);
    return applyLinear(this.scope.at(names.output), read);
  }
}
