/** (x − mean)/√(var + 1e-5) · weight (+ bias), biased variance, over the last axis. */
import { layerNorm } from "@mm/ops";
import type * as tf from "@tensorflow/tfjs";
import { constant, type ParameterTable } from "../parameters.js";
import type { Scope } from "../scope.js";

export function layerNormParameters(width: number, bias: boolean): ParameterTable {
  return {
    weight: { shape: [width], initial: constant(1) },
    ...(bias ? { bias: { shape: [width], initial: constant(0) } } : {}),
  };
}

export function applyLayerNorm<T extends tf.Tensor>(scope: Scope, x: T): T {
  return layerNorm(x, scope.get<tf.Tensor1D>("weight"), scope.find<tf.Tensor1D>("bias")) as T;
}
