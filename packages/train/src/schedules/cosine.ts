/**
 * The paper's schedule (Memory Mosaics, arXiv 2405.06394, the authors' training script): linear warm-up, then half a
 * cosine from the peak to the minimum. For iteration i = 0, 1, …
 *
 *   i < w:      peak · i / w                                       so the first step moves nothing
 *   w ≤ i < d:  min + ½ (1 + cos(π (i − w)/(d − w))) (peak − min)
 *   i ≥ d:      min
 */
import { z } from "zod";

export const CosineSchedule = z.strictObject({
  kind: z.literal("cosine"),
  learningRate: z.number().positive().default(5e-3).describe("peak, after the warm-up"),
  minimum: z.number().min(0).default(1e-4).describe("reached at decaySteps"),
  warmup: z.int().min(0).optional().describe("steps; default 2000, but at most a tenth of all steps"),
  decaySteps: z.int().positive().optional().describe("iteration at which the minimum is reached; default all steps"),
});

export interface CosineSchedule {
  learningRate: number;
  minimum: number;
  warmup: number;
  decaySteps: number;
}

export function cosine({ learningRate, minimum, warmup, decaySteps }: CosineSchedule, iteration: number): number {
  if (iteration < warmup) return (learningRate * iteration) / warmup;
  if (iteration >= decaySteps) return minimum;
  const phase = (iteration - warmup) / (decaySteps - warmup);
  return minimum + 0.5 * (1 + Math.cos(Math.PI * phase)) * (learningRate - minimum);
}
