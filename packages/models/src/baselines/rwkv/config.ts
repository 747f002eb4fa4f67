import { z } from "zod";
import { baselineFields } from "../config.js";

export const RwkvConfig = z.strictObject({
  kind: z.literal("rwkv"),
  ...baselineFields,
  decaySign: z
    .enum(["published", "canonical"])
    .default("published")
    .describe("published: old tokens grow by e^w a step, as in the published kernel; canonical: they shrink"),
});

export type RwkvConfig = Readonly<z.output<typeof RwkvConfig>>;
