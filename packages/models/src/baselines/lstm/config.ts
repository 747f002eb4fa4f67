import { z } from "zod";
import { bareFields } from "../bare-layers.js";

export const LstmConfig = z.strictObject({ kind: z.literal("lstm"), ...bareFields });
export type LstmConfig = Readonly<z.output<typeof LstmConfig>>;
