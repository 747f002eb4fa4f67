import { z } from "zod";
import { baselineFields } from "../config.js";

const count = z.int().positive();

export const HyenaConfig = z.strictObject({
  kind: z.literal("hyena"),
  ...baselineFields,
  filterWidth: count.default(64).describe("hidden width of the network that makes the filters"),
  filterLength: z
    .int()
    .min(2)
    .default(4098)
    .describe("positions that filters are made for, of which times are fractions; the results depend on it"),
});

export type HyenaConfig = Readonly<z.output<typeof HyenaConfig>>;
