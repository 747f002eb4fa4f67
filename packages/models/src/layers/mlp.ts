/** Feed-forward network W₂ gelu(W₁ x), four times as wide inside, GELU in its tanh form. */
import { gelu } from "@mm/ops";
import type * as tf from "@tensorflow/tfjs";
import { type Mode, observe } from "../model.js";
import { type ParameterTable, under } from "../parameters.js";
import type { Scope } from "../scope.js";
import type { BranchDeviations } from "./attention.js";
import { applyLinear, linearParameters } from "./linear.js";

/** What a model's authors call the two maps. */
export interface MlpNames {
  readonly input: string;
  readonly output: string;
}

export function mlpParameters(
  { width, bias }: { width: number; bias: boolean },
  [deviation, outputDeviation]: BranchDeviations,
  names: MlpNames,
): ParameterTable {
  return {
    ...under(names.input, linearParameters(width, 4 * width, bias, deviation)),
    ...under(names.output, linearParameters(4 * width, width, bias, outputDeviation)),
  };
}

export class Mlp {
  constructor(
    private readonly scope: Scope,
    private readonly names: MlpNames,
  ) {}

  /** [batch, time, width] → [batch, time, width] */
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D {
    const hidden = gelu(applyLinear(this.scope.at(this.names.input), x));
    observe(mode, this.scope.path("hidden"), () => hidden);
    return applyLinear(this.scope.at(this.names.output), hidden);
  }
}
