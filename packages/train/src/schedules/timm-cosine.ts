/**
 * The cosine of the timm library as RegBench's trainer calls it, once a step. Its phase counts from iteration 0, not
 * from the end of the warm-up, so the rate drops by some two percent where a warm-up of a tenth of the steps ends.
 *
 *   i < w:      start + i (peak − start)/w
 *   w ≤ i < T:  min + ½ (peak − min)(1 + cos(π i / T))
 *   i ≥ T:      min
 */
import { z } from "zod";

export const TimmCosineSchedule = z.strictObject({
  kind: z.literal("timm-cosine"),
  learningRate: z.number().positive().default(5e-4).describe("peak, which the warm-up aims at"),
  minimum: z.number().min(0).optional().describe("final rate; default a tenth of the peak"),
  warmup: z.int().min(0).optional().describe("steps; default a tenth of all steps"),
  start: z.number().min(0).default(1e-6).describe("where the warm-up starts"),
  decaySteps: z.int().positive().optional().describe("iteration at which the minimum is reached; default all steps"),
});

export interface TimmCosineSchedule {
  learningRate: number;
  minimum: number;
  warmup: number;
  start: number;
  decaySteps: number;
}

export function timmCosine(schedule: TimmCosineSchedule, iteration: number): number {
  const { learningRate, minimum, warmup, start, decaySteps } = schedule;
  if (iteration < warmup) return start + (iteration * (learningRate - start)) / warmup;
  if (iteration >= decaySteps) return minimum;
  return minimum + 0.5 * (learningRate - minimum) * (1 + Math.cos((Math.PI * iteration) / decaySteps));
}
