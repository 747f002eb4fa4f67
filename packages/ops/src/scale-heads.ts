/** y = scale_h · x, one factor per head. */
import * as tf from "@tensorflow/tfjs";
import { spreadHeads } from "./heads.js";
import { hasKernel, runKernel, withGradient } from "./kernels.js";
import { expectHeads, expectShapes } from "./shapes.js";

/**
 * @param x [..., C]
 * @param scale [H]
 */
export function scaleHeads<X extends tf.Tensor>(x: X, scale: tf.Tensor1D): X {
  const { H } = expectShapes("scaleHeads", { scale: [scale, ["H"]] });
  expectHeads("scaleHeads", x.shape[x.shape.length - 1]!, H);
  if (!hasKernel("ScaleHeads")) return scaleHeadsPlain(x, scale);
  return withGradient<X>(
    [x, scale],
    (save) => {
      save([x, scale]);
      return runKernel("ScaleHeads", { x, scale }, {})[0] as X;
    },
    (dy, [x, scale]) => runKernel("ScaleHeadsGrad", { x: x!, scale: scale!, dy }, {}),
  );
}

export function scaleHeadsPlain<X extends tf.Tensor>(x: X, scale: tf.Tensor1D): X {
  return tf.tidy(() => x.mul(spreadHeads(scale, x.shape[x.shape.length - 1]!))) as X;
}
