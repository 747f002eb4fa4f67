/** The rows of a table at the given tokens. */
import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel, withGradient } from "./kernels.js";
import { expectIntegers, expectShapes } from "./shapes.js";

/**
 * @param weight [V, C]
 * @param tokens [...] int32, each in 0 … V−1
 * @returns [..., C]
 */
export function embedding(weight: tf.Tensor2D, tokens: tf.Tensor): tf.Tensor {
  expectShapes("embedding", { weight: [weight, ["V", "C"]] });
  expectIntegers("embedding", "tokens", tokens);
  const vocabulary = weight.shape[0];
  if (!hasKernel("Embedding")) return embeddingPlain(weight, tokens);
  return withGradient(
    [weight],
    (save) => {
      save([tokens]);
      return runKernel("Embedding", { weight, tokens }, {})[0];
    },
    (dy, [tokens]) => runKernel("EmbeddingGrad", { tokens: tokens!, dy }, { vocabulary }),
  );
}

export function embeddingPlain(weight: tf.Tensor2D, tokens: tf.Tensor): tf.Tensor {
  const [vocabulary, width] = weight.shape;
  return tf.tidy(() => {
    const oneHot = tokens
      .reshape([tokens.size, 1])
      .equal(tf.range(0, vocabulary, 1, "int32"))
      .toFloat(); // [tokens, V]
    return tf.matMul(oneHot as tf.Tensor2D, weight).reshape([...tokens.shape, width]);
  });
}
