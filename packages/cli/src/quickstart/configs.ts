import { parseConfig } from "@mm/run";
import { TrainConfig } from "@mm/train";
import { RegBenchRunConfig } from "../regbench/config.js";
import type { Scale } from "./scales.js";

/** The two twins: one size, one training, so that what differs is the architecture. */
export const TWINS = ["memory-mosaic", "gpt2"] as const;
export type Twin = (typeof TWINS)[number];

export function languageConfig(kind: Twin, dataset: string, { model, training }: Scale): TrainConfig {
  const { steps, batch, evaluateEvery, windows } = training;
  // Twice the paper's peak: in so few steps a small model would otherwise hardly leave the uniform distribution.
  const schedule = { kind: "cosine", learningRate: 1e-2, minimum: 1e-4 };
  return parseConfig(
    TrainConfig,
    {
      dataset,
      model: { kind, ...model },
      steps,
      batch,
      accumulation: 1,
      schedule,
      evaluation: { every: evaluateEvery, windows },
      checkpoints: { every: steps },
    },
    { source: "quickstart" },
  );
}

export function regbenchConfig(kind: Twin, { regbench }: Scale): RegBenchRunConfig {
  const { model, ...protocol } = regbench;
  const architecture = kind === "gpt2" ? { bias: true, dropout: 0.1 } : { contextualDropout: 0.05 };
  return parseConfig(
    RegBenchRunConfig,
    { model: { kind, vocabulary: 20, contextLength: 1000, ...model, ...architecture }, protocol },
    { source: "quickstart" },
  );
}
