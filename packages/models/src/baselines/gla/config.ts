import { z } from "zod";
import { baselineFields, HEADS_ERROR, headsDivideWidth, headsField } from "../config.js";

export const GlaConfig = z
  .strictObject({ kind: z.literal("gla"), ...baselineFields, heads: headsField })
  .refine(headsDivideWidth, HEADS_ERROR)
  .refine(({ width, heads }) => width % (2 * heads) === 0, {
    path: ["heads"],
    error: "expected an even width of heads: keys are half as wide as values",
  });

export type GlaConfig = Readonly<z.output<typeof GlaConfig>>;
