/**
 * The experiment of "In-Context Language Learning: Architectures and Algorithms" (Akyürek et al., ICML 2024) as Memory
 * Mosaics (ICLR 2025, section 5.3) ran it: how many languages and how to train on them.
 * Defaults are the values published for the Memory Mosaic; the other systems used {@link baselineSettings}.
 */
import { z } from "zod";

export const RegBenchProtocol = z.strictObject({
  environments: z.int().positive().default(100).describe("languages in the training set, one sequence of each"),
  valid: z.int().positive().default(500).describe("validation problems; the lowest loss selects the epoch"),
  test: z.int().positive().default(500).describe("test problems"),
  dataSeed: z.int().nonnegative().default(0).describe("seed of the problems"),
  seed: z.int().nonnegative().default(0).describe("seed of weights, order and dropout"),
  epochs: z.int().positive().default(200),
  batch: z.int().positive().default(32).describe("sequences per step; the last batch of an epoch may be smaller"),
  learningRate: z.number().positive().default(5e-4).describe("peak, after the warm-up"),
  warmupLearningRate: z.number().nonnegative().default(1e-6).describe("where the warm-up starts"),
  warmupFraction: z.number().min(0).max(1).default(0.1).describe("share of all steps"),
  minimumLearningRateRatio: z.number().min(0).max(1).default(0.1).describe("final over peak learning rate"),
  weightDecay: z.number().nonnegative().default(0.1).describe("on every parameter, unlike in language modelling"),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  clip: z.number().positive().nullable().default(1).describe("largest norm of the gradient; null for none"),
});
export type RegBenchProtocol = z.output<typeof RegBenchProtocol>;

/** What the published baselines trained with instead; their learning rate was searched in {1e-4, 2.5e-4}. */
export const baselineSettings = { learningRate: 2.5e-4, clip: null } as const;

/** Steps of a run: ⌈environments / batch⌉ · epochs. */
export function protocolSteps({ environments, batch, epochs }: RegBenchProtocol): number {
  return Math.ceil(environments / batch) * epochs;
}
