/** Small models and tokens for tests. */
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import type { z } from "zod";
import { createModel, ModelConfig } from "../zoo.js";

const SMALL = {
  "memory-mosaic": { vocabulary: 11, contextLength: 12, blocks: 2, heads: 2, width: 8, slots: 5 },
  "memory-mosaic-v2": {
    vocabulary: 11,
    contextLength: 12,
    blocks: 2,
    heads: 2,
    width: 8,
    hiddenWidth: 10,
    shortWindow: 4,
    longDistance: 2,
    longDistanceInTraining: 5,
    residualDropout: 0.05,
  },
  gpt2: { vocabulary: 11, contextLength: 12, blocks: 2, heads: 2, width: 8 },
  transformer: { vocabulary: 11, contextLength: 12, blocks: 2, heads: 2, width: 8 },
  "linear-transformer": { vocabulary: 11, contextLength: 12, blocks: 2, heads: 2, width: 8 },
  rwkv: { vocabulary: 11, contextLength: 12, blocks: 2, width: 8 },
  gla: { vocabulary: 11, contextLength: 12, blocks: 2, heads: 2, width: 8 },
  lstm: { vocabulary: 11, contextLength: 12, blocks: 2, width: 8, frame: "blocks" },
  retnet: { vocabulary: 11, contextLength: 12, blocks: 2, heads: 2, width: 8 },
  s4d: { vocabulary: 11, contextLength: 12, blocks: 2, width: 8, stateSize: 6 },
  h3: { vocabulary: 11, contextLength: 12, blocks: 2, width: 8, stateSize: 6 },
  hyena: { vocabulary: 11, contextLength: 12, blocks: 2, width: 8, filterWidth: 6, filterLength: 20 },
  mamba: { vocabulary: 11, contextLength: 12, blocks: 2, width: 8, stateSize: 3, frame: "blocks" },
  "modern-transformer": { vocabulary: 11, contextLength: 12, blocks: 2, heads: 2, width: 8 },
};

type Settings = Partial<z.input<typeof ModelConfig>>;

export function smallConfig(kind: keyof typeof SMALL, settings: Settings = {}): ModelConfig {
  return ModelConfig.parse({ kind, ...SMALL[kind], ...settings });
}

export function smallModel(kind: keyof typeof SMALL, settings: Settings = {}, seed = 1) {
  return createModel(smallConfig(kind, settings), Rng.fromSeed(seed).fork("init"));
}

/** Random token ids: int32 [batch, time]. */
export function randomTokens(batch: number, time: number, seed = 2): tf.Tensor2D {
  const rng = Rng.fromSeed(seed);
  const ids = Int32Array.from({ length: batch * time }, () => rng.integer(0, 11));
  return tf.tensor2d(ids, [batch, time], "int32");
}

/** Configurations that differ in every option that has a branch of its own. */
export const variants: Record<string, () => ModelConfig> = {
  "a Memory Mosaic": () => smallConfig("memory-mosaic"),
  "a Memory Mosaic with biases and two banks, untied": () =>
    smallConfig("memory-mosaic", { bias: true, persistentBanks: 2, tieWeights: false }),
  "a Memory Mosaic normalised after": () => smallConfig("memory-mosaic", { preNorm: false }),
  "a Memory Mosaic of contextual memories only": () => smallConfig("memory-mosaic", { contextualOnly: true }),
  "a Memory Mosaic with a peek of 2 and a key kernel of 3": () =>
    smallConfig("memory-mosaic", { peekShift: 2, keyKernel: 3 }),
  "a Memory Mosaic without peek": () => smallConfig("memory-mosaic", { peek: false }),
  "a Memory Mosaic without leaky average": () => smallConfig("memory-mosaic", { leakyAverage: false }),
  "a Memory Mosaic without key norm": () => smallConfig("memory-mosaic", { keyNorm: false }),
  "a Memory Mosaic with attention": () => smallConfig("memory-mosaic", { contextualRead: "attention" }),
  "a Memory Mosaic with an MLP": () => smallConfig("memory-mosaic", { persistentRead: "mlp" }),
  "a Memory Mosaic v2": () => smallConfig("memory-mosaic-v2"),
  "a Memory Mosaic v2, tied, of short-term memories only": () =>
    smallConfig("memory-mosaic-v2", { tieWeights: true, longTerm: false }),
  "a Memory Mosaic v2 of one bandwidth and fixed rates": () =>
    smallConfig("memory-mosaic-v2", { adaptiveBandwidth: false, timeVariantKeys: false }),
  "GPT-2": () => smallConfig("gpt2"),
  "GPT-2 with biases": () => smallConfig("gpt2", { bias: true }),
  "RegBench's Transformer": () => smallConfig("transformer"),
  "RegBench's linear Transformer": () => smallConfig("linear-transformer"),
  "RegBench's GLA": () => smallConfig("gla"),
  "RegBench's RWKV": () => smallConfig("rwkv"),
  "RWKV with the canonical sign": () => smallConfig("rwkv", { decaySign: "canonical" }),
  "an LSTM in blocks": () => smallConfig("lstm"),
  "RegBench's RetNet": () => smallConfig("retnet"),
  S4D: () => smallConfig("s4d"),
  H3: () => smallConfig("h3"),
  Hyena: () => smallConfig("hyena"),
  "a Mamba in blocks": () => smallConfig("mamba"),
  "a modern Transformer": () => smallConfig("modern-transformer"),
};
