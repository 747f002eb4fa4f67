/** The linear map y = x·Wᵀ + b along the last axis, weights stored [out, in]. */
import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel, withGradient } from "./kernels.js";
import { expectShapes, rowCount } from "./shapes.js";

/**
 * @param x [..., in]
 * @param weight [out, in]
 * @param bias [out]
 * @returns [..., out]
 */
export function linear<X extends tf.Tensor>(x: X, weight: tf.Tensor2D, bias?: tf.Tensor1D): X {
  const width = x.shape[x.shape.length - 1]!;
  expectShapes("linear", { weight: [weight, ["out", width]], bias: [bias, ["out"]] });
  if (!hasKernel("Linear")) return linearPlain(x, weight, bias);
  return withGradient<X>(
    bias === undefined ? [x, weight] : [x, weight, bias],
    (save) => {
      save([x, weight]);
      return runKernel("Linear", { x, weight, bias }, {})[0] as X;
    },
    (dy, [x, weight]) =>
      runKernel("LinearGrad", { x: x!, weight: weight!, dy }, { bias: bias !== undefined }) as tf.Tensor[],
  );
}

export function linearPlain<X extends tf.Tensor>(x: X, weight: tf.Tensor2D, bias?: tf.Tensor1D): X {
  return tf.tidy(() => {
    const product = tf.matMul(x.reshape([rowCount(x), weight.shape[1]]), weight, false, true);
    const y = bias === undefined ? product : product.add(bias);
    return y.reshape([...x.shape.slice(0, -1), weight.shape[0]]);
  }) as X;
}
