/** Layer normalisation: (x − mean)/√(variance + ε)·weight + bias over the last axis, biased variance, ε = 1e-5. */
import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel, withGradient } from "./kernels.js";
import { expectShapes } from "./shapes.js";

export const LAYER_NORM_EPSILON = 1e-5;

/**
 * @param x [..., C]
 * @param weight [C]
 * @param bias [C]
 */
export function layerNorm<X extends tf.Tensor>(x: X, weight: tf.Tensor1D, bias?: tf.Tensor1D): X {
  const width = x.shape[x.shape.length - 1]!;
  expectShapes("layerNorm", { weight: [weight, [width]], bias: [bias, [width]] });
  if (!hasKernel("LayerNorm")) return layerNormPlain(x, weight, bias);
  return withGradient<X>(
    bias === undefined ? [x, weight] : [x, weight, bias],
    (save) => {
      const [y, mean, inverseDeviation] = runKernel("LayerNorm", { x, weight, bias }, { epsilon: LAYER_NORM_EPSILON });
      save([x, weight, mean, inverseDeviation]);
      return y as X;
    },
    (dy, [x, weight, mean, inverseDeviation]) =>
      runKernel(
        "LayerNormGrad",
        { x: x!, weight: weight!, mean: mean!, inverseDeviation: inverseDeviation!, dy },
        { bias: bias !== undefined },
      ) as tf.Tensor[],
  );
}

export function layerNormPlain<X extends tf.Tensor>(x: X, weight: tf.Tensor1D, bias?: tf.Tensor1D): X {
  return tf.tidy(() => {
    const centred = x.sub(x.mean(-1, true));
    const variance = centred.square().mean(-1, true);
    const scaled = centred.mul(variance.add(LAYER_NORM_EPSILON).rsqrt()).mul(weight);
    return bias === undefined ? scaled : scaled.add(bias);
  }) as X;
}
