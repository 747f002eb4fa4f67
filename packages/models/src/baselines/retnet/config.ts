import { z } from "zod";
import { baselineFields, HEADS_ERROR, headsDivideWidth, headsField } from "../config.js";

export const RetNetConfig = z
  .strictObject({ kind: z.literal("retnet"), ...baselineFields, heads: headsField })
  .refine(headsDivideWidth, HEADS_ERROR)
  .refine(({ width, heads }) => (width / heads) % 2 === 0, {
    path: ["heads"],
    error: "expected an even width of heads: keys are rotated in pairs",
  });

export type RetNetConfig = Readonly<z.output<typeof RetNetConfig>>;
