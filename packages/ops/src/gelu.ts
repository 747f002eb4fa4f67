/** The Gaussian error linear unit in its tanh form: ½x(1 + tanh(√(2/π)(x + 0.044715x³))). */
import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel, withGradient } from "./kernels.js";

export function gelu<X extends tf.Tensor>(x: X): X {
  if (!hasKernel("Gelu")) return geluPlain(x);
  return withGradient<X>(
    [x],
    (save) => {
      save([x]);
      return runKernel("Gelu", { x }, {})[0] as X;
    },
    (dy, [x]) => runKernel("GeluGrad", { x: x!, dy }, {}),
  );
}

export function geluPlain<X extends tf.Tensor>(x: X): X {
  return tf.tidy(() => {
    const inner = x.add(x.mul(x).mul(x).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
    return x.mul(0.5).mul(inner.tanh().add(1));
  }) as X;
}
