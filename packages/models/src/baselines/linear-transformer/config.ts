import { z } from "zod";
import { baselineFields, HEADS_ERROR, headsDivideWidth, headsField } from "../config.js";

export const LinearTransformerConfig = z
  .strictObject({ kind: z.literal("linear-transformer"), ...baselineFields, heads: headsField })
  .refine(headsDivideWidth, HEADS_ERROR);

export type LinearTransformerConfig = Readonly<z.output<typeof LinearTransformerConfig>>;
