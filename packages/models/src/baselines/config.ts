/** The configuration fields that RegBench's baselines share. */
import { z } from "zod";

const count = z.int().positive();

export const baselineFields = {
  vocabulary: count.default(20).describe("number of token ids"),
  contextLength: count.default(4098).describe("longest sequence, in tokens"),
  blocks: count.default(2).describe("blocks, each a mixer of tokens and a feed-forward network"),
  width: count.default(64).describe("size of a token's representation"),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0.1)
    .describe("dropout of embeddings and, where it has any, of read weights"),
};

const BaselineConfig = z.strictObject(baselineFields);
export type BaselineConfig = Readonly<z.output<typeof BaselineConfig> & { kind: string }>;

export const headsField = count.default(2).describe("heads, each with its part of the width");

/** Heads share the width evenly. */
export const headsDivideWidth = ({ width, heads }: { width: number; heads: number }) => width % heads === 0;
export const HEADS_ERROR = { path: ["heads"], error: "expected a divisor of the width" };
