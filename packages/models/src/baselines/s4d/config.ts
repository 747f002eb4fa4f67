import { z } from "zod";
import { baselineFields } from "../config.js";

export const S4dConfig = z.strictObject({
  kind: z.literal("s4d"),
  ...baselineFields,
  stateSize: z
    .int()
    .positive()
    .multipleOf(2)
    .default(64)
    .describe("size of a channel's state, conjugate halves included"),
});

export type S4dConfig = Readonly<z.output<typeof S4dConfig>>;
