import type { TensorInfo } from "@tensorflow/tfjs";
import { kernel, sizeOf } from "../../kernel.js";
import { duplicate } from "../stock/layout.js";

export const embedding = kernel<"weight" | "tokens">("Embedding", ({ inputs: { weight, tokens }, backend }) => {
  const columns = weight.shape[1]!;
  const y = backend.output([...tokens.shape, columns]);
  backend.run("embedding", weight, tokens, y, sizeOf(tokens), columns);
  return [y];
});

export const embeddingGrad = kernel<"tokens" | "dy", { vocabulary: number }>(
  "EmbeddingGrad",
  ({ inputs: { tokens, dy }, attrs: { vocabulary }, backend }) => {
    const columns = dy.shape.at(-1)!;
    const dWeight = backend.output([vocabulary, columns]);
    backend.run("embeddingGrad", tokens, dy, dWeight, sizeOf(tokens), columns, vocabulary);
    return [dWeight];
  },
);

export const tiedEmbedding = kernel<"weight" | "tokens">("TiedEmbedding", (call) => [
  ...(embedding.compute(call) as TensorInfo[]),
  call.backend.share(call.inputs.weight),
]);

export const tiedEmbeddingGrad = kernel<"tokens" | "dy" | "dMatrix">(
  "TiedEmbeddingGrad",
  ({ inputs: { tokens, dy, dMatrix }, backend }) => {
    const dWeight = backend.refCount(dMatrix.dataId) === 1 ? backend.share(dMatrix) : duplicate(backend, dMatrix);
    backend.run("addEmbeddingGrad", tokens, dy, dWeight, sizeOf(tokens), dy.shape.at(-1)!);
    return [dWeight];
  },
);
