/** Linear warm-up, if any, then one rate. */
import { z } from "zod";

export const ConstantSchedule = z.strictObject({
  kind: z.literal("constant"),
  learningRate: z.number().positive().default(1e-3),
  warmup: z.int().min(0).default(0).describe("steps"),
});
export type ConstantSchedule = z.output<typeof ConstantSchedule>;

export function constant({ learningRate, warmup }: Omit<ConstantSchedule, "kind">, iteration: number): number {
  return iteration < warmup ? (learningRate * iteration) / warmup : learningRate;
}
