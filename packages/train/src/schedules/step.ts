/** Linear warm-up, then a constant rate that is multiplied by `factor` at each milestone. */
import { z } from "zod";

export const StepSchedule = z.strictObject({
  kind: z.literal("step"),
  learningRate: z.number().positive().default(1e-3),
  warmup: z.int().min(0).default(0).describe("steps"),
  milestones: z.array(z.int().positive()).default([]).describe("iterations from which the rate is lower"),
  factor: z.number().positive().default(0.1).describe("of the rate, at each milestone"),
});
export type StepSchedule = z.output<typeof StepSchedule>;

export function step(schedule: Omit<StepSchedule, "kind">, iteration: number): number {
  const { learningRate, warmup, milestones, factor } = schedule;
  if (iteration < warmup) return (learningRate * iteration) / warmup;
  return learningRate * factor ** milestones.filter((milestone) => iteration >= milestone).length;
}
