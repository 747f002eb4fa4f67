import { z } from "zod";
import { bareFields } from "../bare-layers.js";

const count = z.int().positive();

export const MambaConfig = z.strictObject({
  kind: z.literal("mamba"),
  ...bareFields,
  stateSize: count.default(16).describe("size of a channel's state"),
  expansion: count.default(2).describe("channels inside the layer for each unit of width"),
  convolutionLength: count.default(4).describe("tokens that the short convolution reads"),
});

export type MambaConfig = Readonly<z.output<typeof MambaConfig>>;
