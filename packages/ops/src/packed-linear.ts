/** The linear map of `linear.ts` with packed weights: y = x·Wᵀ + b, W as `unpackWeights` gives it. */
import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel } from "./kernels.js";
import { linear } from "./linear.js";
import { type PackedWeights, unpackWeights } from "./packed-weights.js";
import { expectShapes } from "./shapes.js";

/**
 * No gradient.
 *
 * @param x [..., in]
 * @param weight packed [out, in]
 * @param bias [out]
 * @returns [..., out]
 */
export function packedLinear<X extends tf.Tensor>(x: X, weight: PackedWeights, bias?: tf.Tensor1D): X {
  expectShapes("packedLinear", { bias: [bias, [weight.rows]] });
  if (x.shape.at(-1) !== weight.columns)
    throw new Error(`packedLinear: expected x of shape [..., ${weight.columns}], found [${x.shape}]`);
  if (!hasKernel("PackedLinear")) return packedLinearPlain(x, weight, bias);
  const { words, factors, rows, format } = weight;
  return runKernel("PackedLinear", { x, words, factors, bias }, { out: rows, format })[0] as X;
}

export function packedLinearPlain<X extends tf.Tensor>(x: X, weight: PackedWeights, bias?: tf.Tensor1D): X {
  return tf.tidy(() => linear(x, unpackWeights(weight), bias)) as X;
}
