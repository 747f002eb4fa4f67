/** Everything that decides a generated corpus; the defaults are the paper's where it says. */
import { z } from "zod";
import { EndpointConfig, LimitsConfig } from "../../llm/endpoint.js";

const Count = z.number().int().min(1);

const ListStage = (requests: number) =>
  z.strictObject({
    requests: Count.default(requests).describe("prompts sent"),
    answers: Count.default(20).describe("answers wanted to each prompt"),
    maxTokens: Count.default(512),
    file: z.string().optional().describe("take them from this file, one per line, instead of asking the model"),
  });

export const CleaningConfig = z.strictObject({
  fusedDialogue: z
    .boolean()
    .default(true)
    .describe('as published, where a missing comma makes the marker "Dialogue:" without effect; false cuts there'),
  truncated: z
    .enum(["keep", "drop"])
    .default("keep")
    .describe("stories cut at the token limit; the published corpus keeps them"),
  nearDuplicates: z.boolean().default(false).describe("drop stories that nearly repeat an earlier one (MinHash)"),
  similarity: z.number().gt(0).max(1).default(0.8).describe("share of common five-word runs that counts as a repeat"),
});
export type CleaningConfig = z.output<typeof CleaningConfig>;

export const BabiStoriesConfig = z.strictObject({
  count: Count.default(2_200_000).describe("prompts for stories"),
  seed: z.number().int().nonnegative().default(1),
  endpoint: EndpointConfig,
  limits: LimitsConfig.default(LimitsConfig.parse({})),
  openings: ListStage(256).default(ListStage(256).parse({})),
  names: ListStage(128).default(ListStage(128).parse({})),
  stories: z
    .strictObject({
      answers: Count.default(1).describe("stories to each prompt"),
      maxTokens: Count.default(512),
      prompts: z
        .array(z.string())
        .default([])
        .describe("TinyStories' prompt files (JSON shards); own word lists where empty"),
    })
    .default({ answers: 1, maxTokens: 512, prompts: [] }),
  cleaning: CleaningConfig.default(CleaningConfig.parse({})),
  split: z
    .strictObject({ valid: z.number().gt(0).lt(1).default(0.01), seed: z.number().int().nonnegative().default(0) })
    .default({ valid: 0.01, seed: 0 }),
  prices: z
    .strictObject({ prompt: z.number().min(0).default(0), completion: z.number().min(0).default(0) })
    .default({ prompt: 0, completion: 0 })
    .describe("money per million tokens"),
});
export type BabiStoriesConfig = z.output<typeof BabiStoriesConfig>;
