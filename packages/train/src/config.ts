/**
 * What a training run is told. Defaults are the paper's (Memory Mosaics, arXiv 2405.06394, section 6 and the authors'
 * training script): 80 000 steps of 8 · 64 windows. A laptop's settings are in the recipes.
 */
import { ModelConfig } from "@mm/models";
import { z } from "zod";
import { resolveSchedule, Schedule } from "./schedules/index.js";

const count = z.int().positive();

export const OptimizerConfig = z.strictObject({
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.95),
  epsilon: z.number().positive().default(1e-8),
  weightDecay: z.number().min(0).default(0.1).describe("on the parameters which the model says decay"),
  clip: z.number().min(0).default(1).describe("greatest global norm of the gradient; 0: no clipping"),
});
export type OptimizerConfig = Readonly<z.output<typeof OptimizerConfig>>;

export const EvaluationConfig = z.strictObject({
  every: count.default(2000).describe("steps between evaluations; the last step is always evaluated"),
  windows: count.default(5120).describe("windows of each split, spread evenly over it, the same every time"),
  batch: count.optional().describe("windows at a time; default the training batch"),
});

export const CheckpointConfig = z.strictObject({
  every: count.default(2000).describe("steps between checkpoints; the last step is always saved"),
  keepLast: count.default(2).describe("older ones are removed"),
  keepBest: z.boolean().default(true).describe("save and keep the one of lowest validation loss"),
});
export type CheckpointConfig = Readonly<z.output<typeof CheckpointConfig>>;

/** Settings such as `schedule.learningRate=1e-3` alone speak of the default schedule. */
function withDefaultKind(schedule: unknown): unknown {
  const isOpen = typeof schedule === "object" && schedule !== null && !("kind" in schedule);
  return isOpen ? { kind: "cosine", ...schedule } : schedule;
}

export const TrainConfig = z
  .strictObject({
    dataset: z.string().min(1).describe("dataset folder"),
    model: ModelConfig,
    seed: z.int().min(0).default(1).describe("of weights, batches and dropout"),
    steps: count.default(80_000).describe("optimizer steps"),
    batch: count.default(8).describe("windows per forward pass"),
    accumulation: count.default(64).describe("forward passes per optimizer step"),
    contextLength: count.optional().describe("tokens per window; default the model's context length"),
    schedule: z.preprocess(withDefaultKind, Schedule).prefault({}),
    optimizer: OptimizerConfig.prefault({}),
    evaluation: EvaluationConfig.prefault({}),
    checkpoints: CheckpointConfig.prefault({}),
    logEvery: count.default(10).describe("steps between rows of the training loss"),
    precision: z.enum(["fp32", "bf16"]).default("fp32").describe("of the inputs of matrix products"),
  })
  .refine((config) => (config.contextLength ?? 1) <= config.model.contextLength, {
    path: ["contextLength"],
    error: "expected at most the model's contextLength",
  })
  .transform((config) => ({
    ...config,
    contextLength: config.contextLength ?? config.model.contextLength,
    schedule: resolveSchedule(config.schedule, config.steps),
    evaluation: { ...config.evaluation, batch: config.evaluation.batch ?? config.batch },
  }));

export type TrainConfig = Readonly<z.output<typeof TrainConfig>>;
