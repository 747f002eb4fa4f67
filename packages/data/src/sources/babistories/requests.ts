/** The requests of each stage: everything in them follows from the seed and their number. */
import { Rng } from "@mm/run";
import type { CompletionRequest } from "../../llm/completion.js";
import type { BabiStoriesConfig } from "./config.js";
import { NAME_PROMPT, OPENING_PROMPTS } from "./lists.js";
import { readMetaprompts } from "./metaprompts.js";
import { drawPrompt, withName } from "./prompts.js";

const rngOf = (config: BabiStoriesConfig, stage: string) => Rng.fromSeed(config.seed).fork("babistories").fork(stage);

export function* listRequests(config: BabiStoriesConfig, stage: "openings" | "names"): Iterable<CompletionRequest> {
  const { requests, answers, maxTokens } = config[stage];
  const rng = rngOf(config, stage);
  for (let id = 0; id < requests; id++) {
    const prompt = stage === "openings" ? OPENING_PROMPTS[id % OPENING_PROMPTS.length]! : NAME_PROMPT;
    yield { id, prompt, opening: "", answers, maxTokens, seed: rng.fork(id).uint32() };
  }
}

export interface Ingredients {
  readonly openings: readonly string[];
  readonly names: readonly string[];
}

/** @param skip numbers that are not wanted: their requests are not made */
export async function* storyRequests(
  config: BabiStoriesConfig,
  { openings, names }: Ingredients,
  skip: (id: number) => boolean = () => false,
  signal?: AbortSignal,
): AsyncGenerator<CompletionRequest> {
  const rng = rngOf(config, "stories");
  const { answers, maxTokens, prompts } = config.stories;
  const request = (id: number, prompt: (rng: Rng) => string): CompletionRequest => {
    const own = rng.fork(id);
    const text = withName(prompt(own), own.pick(names));
    return { id, prompt: text, opening: own.pick(openings), answers, maxTokens, seed: own.uint32() };
  };
  if (prompts.length === 0) {
    for (let id = 0; id < config.count; id++) if (!skip(id)) yield request(id, (own) => drawPrompt(own).text);
    return;
  }
  let id = 0;
  for await (const { text } of readMetaprompts(prompts, { signal, noteFile() {} })) {
    if (id === config.count) return;
    if (!skip(id)) yield request(id, () => text);
    id++;
  }
}
