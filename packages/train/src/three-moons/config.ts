/** The three-moons experiment as configured; defaults are the published settings. */
import { MoonMemoryConfig } from "@mm/models";
import { z } from "zod";

const count = z.int().positive();

export const ThreeMoonsConfig = z.strictObject({
  memory: MoonMemoryConfig.prefault({}),
  seed: z.int().min(0).default(100),
  iterations: count.default(500),
  batch: count.default(64).describe("windows per iteration, each of a random triple from a random start"),
  block: count.default(800).describe("steps per window"),
  minimumPeriods: z.number().positive().default(3).describe("longest joint periods that a window holds"),
  learningRate: z
    .strictObject({ first: z.number().positive().default(1e-2), last: z.number().positive().default(5e-6) })
    .prefault({})
    .describe("falls along a straight line"),
  biasCorrection: z.boolean().default(false).describe("of Adam's moments; the published program has none"),
  largestError: z.number().positive().default(0.5).describe("errors beyond it count as much as it"),
  evaluation: z
    .strictObject({
      windows: count.default(512).describe("starts to average over"),
      generated: count.default(25).describe("steps generated after each prompt"),
      longestPrompt: count.default(400),
      promptStep: count.default(8).describe("between lengths of prompts"),
      cache: z.boolean().default(true).describe("generated steps are stored without values, as published"),
      alignment: z
        .enum(["corrected", "published"])
        .default("corrected")
        .describe("published: each generated step is compared with the truth one step before it"),
    })
    .prefault({}),
});
export type ThreeMoonsConfig = Readonly<z.output<typeof ThreeMoonsConfig>>;
