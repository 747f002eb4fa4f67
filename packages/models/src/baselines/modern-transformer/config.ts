import { z } from "zod";
import { baselineFields, HEADS_ERROR, headsDivideWidth, headsField } from "../config.js";

export const ModernTransformerConfig = z
  .strictObject({
    kind: z.literal("modern-transformer"),
    ...baselineFields,
    heads: headsField,
    hidden: z
      .int()
      .positive()
      .optional()
      .describe("width inside the feed-forward network; by default 8/3 of the width, up to a multiple of 8"),
    rotaryBase: z.number().positive().default(10_000).describe("base of the wavelengths of rotary positions"),
  })
  .refine(headsDivideWidth, HEADS_ERROR)
  .refine(({ width, heads }) => (width / heads) % 2 === 0, {
    path: ["heads"],
    error: "expected heads of an even width, because rotary positions turn pairs",
  });

export type ModernTransformerConfig = Readonly<z.output<typeof ModernTransformerConfig>>;

/** Three matrices of 8/3 d² numbers weigh as much as the two of 4 d² they replace. */
export function hiddenWidth({ width, hidden }: ModernTransformerConfig): number {
  return hidden ?? 8 * Math.ceil(width / 3);
}
