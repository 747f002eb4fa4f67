import type { NativeKernel } from "../../kernel.js";
import { adamWStep } from "./adam-w-step.js";
import { causalConvolution, causalConvolutionGrad } from "./causal-convolution.js";
import { causalRead, causalReadGrad } from "./causal-read.js";
import { dropout, dropoutAdd } from "./dropout.js";
import { embedding, embeddingGrad, tiedEmbedding, tiedEmbeddingGrad } from "./embedding.js";
import { gelu, geluGrad } from "./gelu.js";
import { layerNorm, layerNormGrad } from "./layer-norm.js";
import { leakyAverage, leakyAverageGrad } from "./leaky-average.js";
import { advanceKeys, leakyKeys, leakyKeysGrad } from "./leaky-keys.js";
import { linear, linearGrad } from "./linear.js";
import { linearCrossEntropy, linearCrossEntropyGrad, linearTokenLosses } from "./linear-cross-entropy.js";
import { decayingRead, decayingReadGrad, gatedRead, gatedReadGrad } from "./linear-memory.js";
import { linearRecurrence, linearRecurrenceGrad } from "./linear-recurrence.js";
import { packedLinear, packedPersistentRead } from "./packed.js";
import { peekValues, peekValuesGrad } from "./peek-values.js";
import { persistentRead, persistentReadGrad } from "./persistent-read.js";
import { scaleHeads, scaleHeadsGrad } from "./scale-heads.js";
import { selectiveScan, selectiveScanGrad } from "./selective-scan.js";
import { weightedMean, weightedMeanGrad } from "./weighted-mean.js";
import { writeRows } from "./write-rows.js";

/** Kernels for the ops of @mm/ops: each op's file of the same name, one line here. */
export const fusedKernels: readonly NativeKernel[] = [
  ...[linear, linearGrad, embedding, embeddingGrad, layerNorm, layerNormGrad, gelu, geluGrad],
  ...[tiedEmbedding, tiedEmbeddingGrad],
  ...[dropout, dropoutAdd, scaleHeads, scaleHeadsGrad],
  ...[leakyAverage, leakyAverageGrad, leakyKeys, leakyKeysGrad, advanceKeys, peekValues, peekValuesGrad],
  ...[causalRead, causalReadGrad, persistentRead, persistentReadGrad],
  ...[packedLinear, packedPersistentRead],
  ...[linearCrossEntropy, linearCrossEntropyGrad, linearTokenLosses],
  ...[linearRecurrence, linearRecurrenceGrad],
  ...[causalConvolution, causalConvolutionGrad, selectiveScan, selectiveScanGrad],
  ...[weightedMean, weightedMeanGrad, decayingRead, decayingReadGrad, gatedRead, gatedReadGrad],
  ...[adamWStep, writeRows],
];
