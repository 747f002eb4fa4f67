/** Affine maps y = W x (+ b), weights stored as (out, in). */
import { linear } from "@mm/ops";
import type * as tf from "@tensorflow/tfjs";
import { constant, normal, type ParameterTable } from "../parameters.js";
import type { Scope } from "../scope.js";

/** @param deviation of the initial weights; by default 1/√input */
export function linearParameters(
  input: number,
  output: number,
  bias: boolean,
  deviation = 1 / Math.sqrt(input),
): ParameterTable {
  return {
    weight: { shape: [output, input], initial: normal(deviation) },
    ...(bias ? { bias: { shape: [output], initial: constant(0) } } : {}),
  };
}

export function applyLinear<T extends tf.Tensor>(scope: Scope, x: T): T {
  return linear(x, scope.get<tf.Tensor2D>("weight"), scope.find<tf.Tensor1D>("bias")) as T;
}
