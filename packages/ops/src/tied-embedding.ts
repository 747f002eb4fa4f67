/**
 * A matrix that is embedding and output layer at once. Its gradient is the sum of two, each as large as the matrix, of
 * which the embedding's is nearly all zeros: where the backend can, its rows are added to the other one in place.
 */
import * as tf from "@tensorflow/tfjs";
import { embedding } from "./embedding.js";
import { freeAfterGradient, hasKernel, runKernel } from "./kernels.js";
import { expectIntegers, expectShapes } from "./shapes.js";

export interface TiedEmbedding {
  /** [..., C], the rows at the tokens */
  rows: tf.Tensor;
  /** [V, C], the matrix for its other use, whose gradient it then passes on; the rows must lead to that use. */
  weight: tf.Tensor2D;
}

/**
 * @param weight [V, C]
 * @param tokens [...] int32, each in 0 … V−1
 */
export function tiedEmbedding(weight: tf.Tensor2D, tokens: tf.Tensor): TiedEmbedding {
  if (!hasKernel("TiedEmbedding") || !tf.engine().isTapeOn()) return { rows: embedding(weight, tokens), weight };
  expectShapes("tiedEmbedding", { weight: [weight, ["V", "C"]] });
  expectIntegers("tiedEmbedding", "tokens", tokens);
  const [rows, matrix] = runKernel("TiedEmbedding", { weight, tokens }, {});
  return { rows, weight: matrix as tf.Tensor2D };
}

tf.registerGradient({
  kernelName: "TiedEmbedding",
  inputsToSave: ["tokens"],
  gradFunc: (dys, saved) => {
    const [dy, dMatrix] = dys as tf.Tensor[];
    const gradients = runKernel("TiedEmbeddingGrad", { tokens: saved[0]!, dy: dy!, dMatrix: dMatrix! }, {});
    freeAfterGradient(dy!, saved, gradients);
    return { weight: () => gradients[0] };
  },
});
