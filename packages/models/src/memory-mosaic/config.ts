/**
 * Configuration of a Memory Mosaic language model (Memory Mosaics, arXiv 2405.06394, section 6). The last group are
 * ablations: each takes one idea of the architecture away.
 */
import { z } from "zod";

const count = z.int().positive();
const rate = z.number().min(0).lt(1);

/** Slots per unit of width that give a block as many parameters as a GPT-2 block: 5C² + 2PC = 12C². */
const SLOTS_PER_WIDTH = 3.5;

export const MemoryMosaicConfig = z
  .strictObject({
    kind: z.literal("memory-mosaic"),
    vocabulary: count.default(50304).describe("number of token ids"),
    contextLength: count.default(512).describe("longest sequence, in tokens"),
    blocks: count.default(1).describe("blocks, each a contextual and a persistent memory"),
    heads: count.default(12).describe("associative memories side by side"),
    width: count.default(768).describe("size of a token's representation"),
    slots: count.optional().describe("stored pairs per head of a persistent memory; default 3.5 · width"),
    persistentBanks: count.default(1).describe("banks of slots, each with its own softmax, averaged"),
    peekShift: count.default(1).describe("how many tokens ahead a stored value peeks"),
    keyKernel: count.default(1).describe("tokens that the key's linear map sees (a causal convolution)"),
    preNorm: z.boolean().default(true).describe("normalise the branch (true) or the residual stream (false)"),
    bias: z.boolean().default(false).describe("biases in linear maps and layer norms"),
    tieWeights: z.boolean().default(true).describe("the output head is the embedding matrix"),
    skipTokens: z.int().min(0).default(0).describe("first positions that logits and loss leave out"),
    contextualOnly: z.boolean().default(false).describe("blocks without a persistent memory"),
    contextualDropout: rate.default(0).describe("dropout of the contextual memory's read weights"),
    persistentDropout: rate.default(0.05).describe("dropout of the persistent memory's read weights"),
    residualDropout: rate.default(0.05).describe("dropout of what a memory adds to the residual stream"),

    peek: z.boolean().default(true).describe("ablation: false stores the present value instead of the next"),
    leakyAverage: z.boolean().default(true).describe("ablation: false uses the present key without its past"),
    keyNorm: z.boolean().default(true).describe("ablation: false leaves the length of keys free"),
    contextualRead: z
      .enum(["memory", "attention"])
      .default("memory")
      .describe("ablation: attention with queries, keys and values of its own, no position encoding"),
    persistentRead: z
      .enum(["memory", "mlp"])
      .default("memory")
      .describe("ablation: a GELU network of four times the width"),
  })
  .refine((config) => config.width % config.heads === 0, {
    path: ["heads"],
    error: (issue) => {
      const { width } = issue.input as { width: number };
      return `expected a divisor of the width ${width}`;
    },
  })
  .refine((config) => config.skipTokens < config.contextLength, {
    path: ["skipTokens"],
    error: "expected fewer tokens than contextLength",
  })
  .transform((config) => ({ ...config, slots: config.slots ?? Math.round(SLOTS_PER_WIDTH * config.width) }));

export type MemoryMosaicConfig = Readonly<z.output<typeof MemoryMosaicConfig>>;

/** Initial deviation of the maps that write to the residual stream, smaller the more blocks add up there. */
export function projectionDeviation({ width, blocks }: MemoryMosaicConfig): number {
  return 1 / Math.sqrt(width * blocks);
}
