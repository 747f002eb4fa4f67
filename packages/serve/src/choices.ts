/** A request as the engine takes it: one text per prompt and choice, under the server's limits. */
import { randomInt } from "node:crypto";
import type { Overflow, Sampling } from "@mm/models";
import { isUserError, Rng } from "@mm/run";
import { ApiError } from "./api-error.js";
import type { Engine, GenerationRequest } from "./engine.js";
import type { Limits } from "./limits.js";
import { encodePrompt } from "./prompt.js";
import type { ChatBody, CompletionBody } from "./requests.js";

export interface Choice {
  index: number;
  prompt: readonly number[];
  request: GenerationRequest;
}

export interface Wishes {
  prompts: readonly (readonly number[])[];
  maxTokens: number;
  alternatives?: number | undefined;
  echo?: boolean;
}

export function stopsOf({ stop }: Pick<CompletionBody | ChatBody, "stop">): string[] {
  return typeof stop === "string" ? [stop] : (stop ?? []);
}

/** The ids of a text prompt. */
export function encode({ model: { tokenizer } }: Engine, text: string): number[] {
  try {
    return encodePrompt(tokenizer, text);
  } catch (error) {
    if (isUserError(error)) throw new ApiError(400, error.message, { param: "prompt" });
    throw error;
  }
}

/** The ids of each prompt of a completion. */
export function promptsOf(engine: Engine, { prompt }: CompletionBody): number[][] {
  const list = Array.isArray(prompt) && typeof prompt[0] !== "number" ? (prompt as string[] | number[][]) : [prompt];
  return (list as (string | number[])[]).map((each) => (typeof each === "string" ? encode(engine, each) : each));
}

/** @throws ApiError when the request exceeds a limit */
export function choicesOf(
  engine: Engine,
  body: CompletionBody | ChatBody,
  { prompts, maxTokens, alternatives, echo = false }: Wishes,
  limits: Limits,
  overflow: Overflow,
): Choice[] {
  const { info } = engine.model.tokenizer;
  const n = body.n ?? 1;
  const refuse = (message: string, param: string) => {
    throw new ApiError(400, message, { param });
  };
  if (prompts.length * n > limits.choices)
    refuse(`Expected at most ${limits.choices} choices, found ${prompts.length * n}.`, "n");
  if (maxTokens > limits.completionTokens)
    refuse(`Expected at most ${limits.completionTokens} tokens, found ${maxTokens}.`, "max_tokens");
  for (const prompt of prompts) {
    if (prompt.length === 0) refuse("Expected a prompt of at least one token.", "prompt");
    if (prompt.length > limits.promptTokens)
      throw new ApiError(400, `Expected a prompt of at most ${limits.promptTokens} tokens, found ${prompt.length}.`, {
        param: "prompt",
        code: "context_length_exceeded",
      });
    const unknown = prompt.find((id) => id >= info.vocabulary);
    if (unknown !== undefined) refuse(`Expected token ids below ${info.vocabulary}, found ${unknown}.`, "prompt");
  }
  const rng = Rng.fromSeed(body.seed ?? randomInt(2 ** 47));
  const sampling: Sampling = {
    temperature: body.temperature ?? 1,
    topP: body.top_p ?? undefined,
    topK: body.top_k ?? undefined,
    minP: body.min_p ?? undefined,
    repetitionPenalty: body.repetition_penalty ?? undefined,
  };
  return prompts.flatMap((prompt, i) =>
    Array.from({ length: n }, (_, j) => {
      const index = i * n + j;
      const request = {
        prompt,
        maxTokens,
        alternatives,
        echo,
        overflow,
        sampling: { ...sampling, rng: rng.fork(index) },
      };
      return { index, prompt, request };
    }),
  );
}
