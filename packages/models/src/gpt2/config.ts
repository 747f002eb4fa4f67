/** Configuration of the GPT-2 baseline (Radford et al., 2019) with tied embeddings and one dropout rate. */
import { z } from "zod";

const count = z.int().positive();

export const Gpt2Config = z
  .strictObject({
    kind: z.literal("gpt2"),
    vocabulary: count.default(50304).describe("number of token ids"),
    contextLength: count.default(512).describe("longest sequence, in tokens"),
    blocks: count.default(1).describe("blocks, each attention and a feed-forward network"),
    heads: count.default(12).describe("attention heads"),
    width: count.default(768).describe("size of a token's representation"),
    bias: z.boolean().default(false).describe("biases in linear maps and layer norms"),
    dropout: z.number().min(0).lt(1).default(0.05).describe("dropout of embeddings, read weights and branches"),
  })
  .refine((config) => config.width % config.heads === 0, {
    path: ["heads"],
    error: (issue) => {
      const { width } = issue.input as { width: number };
      return `expected a divisor of the width ${width}`;
    },
  });

export type Gpt2Config = Readonly<z.output<typeof Gpt2Config>>;
