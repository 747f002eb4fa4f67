/** What a generation would ask, and roughly what it would cost, without asking. */
import { fillTemplate } from "../../llm/endpoint.js";
import { costOf } from "../../llm/tally.js";
import { gpt2Tokenizer } from "../../tokenizers/gpt2.js";
import { BOYS, GIRLS } from "../stories/names.js";
import type { BabiStoriesConfig } from "./config.js";
import { listRequests, storyRequests } from "./requests.js";

/** Tokens of a published story on average, after cleaning (the paper's Table 1). */
const STORY_TOKENS = 216;
const SAMPLE = 100;
const SHOWN = 3;

interface Bounds {
  readonly expected: number;
  readonly most: number;
}

export interface StagePlan {
  readonly stage: "openings" | "names" | "stories";
  readonly requests: number;
  /** Counted with GPT-2's tokenizer; the model's own differs a little. */
  readonly promptTokens: number;
  readonly completionTokens: Bounds;
}

export interface DryRun {
  readonly stages: readonly StagePlan[];
  readonly cost: Bounds;
  /** Whole texts as they would be sent. */
  readonly samples: readonly string[];
}

export async function dryRun(config: BabiStoriesConfig): Promise<DryRun> {
  const tokenizer = gpt2Tokenizer();
  const tokensOf = (text: string) => tokenizer.encode(text).length;
  const stages: StagePlan[] = [];
  const samples: string[] = [];
  for (const stage of ["openings", "names"] as const) {
    const { requests, answers, maxTokens, file } = config[stage];
    if (file !== undefined) continue;
    const prompts = [...listRequests({ ...config, [stage]: { ...config[stage], requests: 2 } }, stage)];
    const mean = prompts.reduce((sum, { prompt }) => sum + tokensOf(prompt), 0) / prompts.length;
    // A list of a hundred entries fills the limit.
    const tokens = requests * answers * maxTokens;
    stages.push({
      stage,
      requests,
      promptTokens: Math.round(requests * mean),
      completionTokens: { expected: tokens, most: tokens },
    });
    samples.push(prompts[0]!.prompt);
  }
  const ingredients = {
    openings: ["Once upon a time", "In a small house by the sea there lived"],
    names: [...GIRLS, ...BOYS],
  };
  let sampled = 0;
  let promptTokens = 0;
  for await (const { prompt, opening } of storyRequests(
    { ...config, count: Math.min(config.count, SAMPLE) },
    ingredients,
  )) {
    promptTokens += tokensOf(prompt) + tokensOf(opening);
    const { api, template } = config.endpoint;
    if (sampled++ < SHOWN)
      samples.push(api === "chat" ? `${prompt}\n→ ${opening}` : fillTemplate(template, prompt, opening));
  }
  const { answers, maxTokens } = config.stories;
  stages.push({
    stage: "stories",
    requests: config.count,
    promptTokens: Math.round((config.count * promptTokens) / Math.max(1, sampled)),
    completionTokens: {
      expected: config.count * answers * Math.min(STORY_TOKENS, maxTokens),
      most: config.count * answers * maxTokens,
    },
  });
  const prompts = stages.reduce((sum, stage) => sum + stage.promptTokens, 0);
  const cost = (bound: keyof Bounds) =>
    costOf(
      config.prices,
      prompts,
      stages.reduce((sum, { completionTokens }) => sum + completionTokens[bound], 0),
    );
  return { stages, cost: { expected: cost("expected"), most: cost("most") }, samples };
}
