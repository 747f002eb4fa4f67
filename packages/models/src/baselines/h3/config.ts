import { z } from "zod";
import { baselineFields } from "../config.js";

export const H3Config = z.strictObject({
  kind: z.literal("h3"),
  ...baselineFields,
  stateSize: z
    .int()
    .positive()
    .multipleOf(2)
    .default(64)
    .describe("tokens that the shift layer remembers, and size of the diagonal layer's state"),
});

export type H3Config = Readonly<z.output<typeof H3Config>>;
