/**
 * How a model is trained and tested on recall: one protocol for all models. The tasks are synthetic and so are never
 * read twice; every step draws its sequences from the seed and its number.
 */
import { ModelConfig } from "@mm/models";
import { z } from "zod";

const count = z.int().positive();
const several = z.array(count).nonempty();

export const RECALL_TASKS = ["distance", "pairs"] as const;
export type RecallTaskName = (typeof RECALL_TASKS)[number];

export const RecallProtocol = z.strictObject({
  task: z.enum(RECALL_TASKS).describe("distance: pairs among other tokens; pairs: many pairs, then all of their keys"),
  seed: z.int().min(0).default(0).describe("of weights, sequences and dropout"),
  keys: count.default(64).describe("tokens that may be keys"),
  values: count.default(64).describe("tokens that may be values"),
  fillers: count.default(64).describe("tokens that mean nothing"),
  distances: several
    .default([4, 8, 16, 32, 64, 96])
    .describe("task distance: tokens from a pair's key to the same key as a query"),
  queries: count.default(4).describe("task distance: pairs and queries in a sequence"),
  length: count.default(128).describe("task distance: tokens of a sequence"),
  pairs: several.default([4, 8, 16, 32]).describe("task pairs: pairs in a sequence"),
  steps: count.default(400).describe("optimizer steps"),
  batch: count.default(32).describe("sequences per step"),
  learningRate: z.number().positive().default(2e-3).describe("peak of the cosine, after a tenth of the steps"),
  weightDecay: z.number().min(0).default(0.1).describe("on the parameters which the model says decay"),
  valid: count.default(64).describe("sequences of each point that are watched in training"),
  test: count.default(256).describe("sequences of each point that are scored"),
});
export type RecallProtocol = Readonly<z.output<typeof RecallProtocol>>;

export const RecallConfig = z
  .strictObject({ model: ModelConfig, protocol: RecallProtocol })
  .refine(({ model, protocol }) => model.vocabulary >= recallVocabulary(protocol), {
    path: ["model", "vocabulary"],
    error: "expected at least as many as there are keys, values and fillers together",
  })
  .refine(({ model, protocol }) => model.contextLength >= longestSequence(protocol), {
    path: ["model", "contextLength"],
    error: "expected at least the length of the longest sequence",
  })
  .refine(({ protocol }) => protocol.task !== "pairs" || Math.max(...protocol.pairs) <= protocol.keys, {
    path: ["protocol", "pairs"],
    error: "expected at most as many pairs as there are keys",
  })
  .refine(({ protocol }) => protocol.task !== "distance" || protocol.queries <= protocol.keys, {
    path: ["protocol", "queries"],
    error: "expected at most as many queries as there are keys",
  })
  .refine(({ protocol }) => protocol.task !== "distance" || Math.max(...protocol.distances) + 2 <= protocol.length, {
    path: ["protocol", "distances"],
    error: "expected distances that leave room for the pair and the query in a sequence of that length",
  })
  .refine(({ protocol }) => protocol.task !== "distance" || Math.min(...protocol.distances) >= 2, {
    path: ["protocol", "distances"],
    error: "expected distances of at least 2: between a key and its query stands its value",
  });
export type RecallConfig = Readonly<z.output<typeof RecallConfig>>;

/** Tokens are keys, then values, then fillers. */
export function recallVocabulary({ keys, values, fillers }: RecallProtocol): number {
  return keys + values + fillers;
}

export function longestSequence({ task, length, pairs }: RecallProtocol): number {
  return task === "distance" ? length : 4 * Math.max(...pairs);
}
