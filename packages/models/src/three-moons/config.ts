import { z } from "zod";

const count = z.int().positive();

/** The memory of the three-moons experiment; the defaults are those of the paper's model with one head. */
export const MoonMemoryConfig = z.strictObject({
  inputs: count.default(6).describe("coordinates per step"),
  heads: count.default(1),
  features: count.default(6).describe("of each head"),
  shift: z.literal(1).default(1).describe("how far ahead values look"),
  ban: z.int().min(0).default(0).describe("newest readable pairs that are out of reach nevertheless"),
  complex: z.boolean().default(true).describe("maps multiply complex numbers"),
  scale: z.number().positive().default(50).describe("of the scores; larger is sharper"),
  normKeys: z.boolean().default(false),
  normValues: z.boolean().default(false),
  scaleKeys: z.boolean().default(false).describe("keys times a learned factor"),
  output: z.enum(["projection", "sum"]).default("projection").describe("how the heads' reads become one"),
});
export type MoonMemoryConfig = Readonly<z.output<typeof MoonMemoryConfig>>;
