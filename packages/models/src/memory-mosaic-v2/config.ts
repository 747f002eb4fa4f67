/**
 * Configuration of Memory Mosaics v2 (arXiv 2507.03285). Defaults are those of its small model, but for the vocabulary,
 * which is that of our tokenizer. Dropout is of our own: the paper trains on more text than it reads twice.
 */
import { z } from "zod";

const count = z.int().positive();
const rate = z.number().min(0).lt(1);

/** d′/d of the small model: 6144 / 2048. */
const HIDDEN_PER_WIDTH = 3;

export const MemoryMosaicV2Config = z
  .strictObject({
    kind: z.literal("memory-mosaic-v2"),
    vocabulary: count.default(50304).describe("number of token ids"),
    contextLength: count.default(4096).describe("longest sequence, in tokens"),
    blocks: count.default(24).describe("blocks, each a short-term, a long-term and a persistent memory"),
    heads: count.default(16).describe("associative memories side by side, in each of the two contextual memories"),
    width: count.default(2048).describe("size of a token's representation"),
    hiddenWidth: count.optional().describe("inner width of the persistent memory; default 3 · width"),
    tieWeights: z.boolean().default(false).describe("the output head is the embedding matrix"),
    shortWindow: z.int().min(2).default(256).describe("the short-term memory reads pairs less than this far back"),
    longDistance: count.default(64).describe("the long-term memory reads pairs at least this far back"),
    longDistanceInTraining: count
      .default(256)
      .describe("in training that distance is drawn anew for each pass, up to this one"),
    contextualDropout: rate.default(0).describe("dropout of the contextual memories' read weights"),
    residualDropout: rate.default(0).describe("dropout of what is added to the residual stream"),

    longTerm: z.boolean().default(true).describe("ablation: false leaves the long-term memory out"),
    adaptiveBandwidth: z.boolean().default(true).describe("ablation: false has one bandwidth for any number of pairs"),
    timeVariantKeys: z.boolean().default(true).describe("ablation: false forgets at a fixed rate per head, as in v1"),
  })
  .refine((config) => config.width % config.heads === 0, {
    path: ["heads"],
    error: (issue) => {
      const { width } = issue.input as { width: number };
      return `expected a divisor of the width ${width}`;
    },
  })
  .refine((config) => config.longDistanceInTraining >= config.longDistance, {
    path: ["longDistanceInTraining"],
    error: (issue) => {
      const { longDistance } = issue.input as Record<string, number>;
      return `expected at least longDistance, ${longDistance}`;
    },
  })
  .transform((config) => ({ ...config, hiddenWidth: config.hiddenWidth ?? HIDDEN_PER_WIDTH * config.width }));

export type MemoryMosaicV2Config = Readonly<z.output<typeof MemoryMosaicV2Config>>;

/** Initial deviation of the matrices of block `block` (from 0) that take `inputs` numbers: 1/√(2·inputs·(block + 1)). */
export function matrixDeviation(inputs: number, block: number): number {
  return 1 / Math.sqrt(2 * inputs * (block + 1));
}
