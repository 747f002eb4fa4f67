/** POST /v1/completions: OpenAI's form of a completion and of its log-probabilities. */
import type { Overflow } from "@mm/models";
import type { Choice } from "./choices.js";
import { choicesOf, promptsOf, stopsOf } from "./choices.js";
import type { Continuation } from "./continuation.js";
import type { Engine } from "./engine.js";
import type { Limits } from "./limits.js";
import type { CompletionBody } from "./requests.js";
import { tokenName } from "./token-names.js";

/** Tokens that OpenAI adds where a request does not say how many. */
const DEFAULT_TOKENS = 16;

export interface TextLogprobs {
  tokens: string[];
  token_logprobs: (number | null)[];
  top_logprobs: (Record<string, number> | null)[];
  text_offset: number[];
}

export function completionChoices(engine: Engine, body: CompletionBody, limits: Limits, overflow: Overflow) {
  const choices = choicesOf(
    engine,
    body,
    {
      prompts: promptsOf(engine, body),
      maxTokens: body.max_tokens ?? DEFAULT_TOKENS,
      alternatives: body.logprobs ?? undefined,
      echo: body.echo ?? false,
    },
    limits,
    overflow,
  );
  return { choices, stops: stopsOf(body) };
}

/** Makes the answer's pieces of a choice's pieces; `text_offset` counts from the start of the prompt. */
export class CompletionWriter {
  #offset: number;

  constructor(
    private readonly engine: Engine,
    private readonly body: CompletionBody,
    private readonly choice: Choice,
  ) {
    this.#offset = body.echo ? 0 : engine.model.tokenizer.decode(choice.prompt).length;
  }

  piece({ text, token, finish }: Continuation) {
    const { tokenizer } = this.engine.model;
    let logprobs: TextLogprobs | null = null;
    if (this.body.logprobs != null && token !== undefined) {
      const top = token.alternatives?.map(
        (other) => [tokenName(tokenizer, other.token), other.logProbability] as const,
      );
      logprobs = {
        tokens: [tokenName(tokenizer, token.token)],
        token_logprobs: [token.logProbability ?? null],
        top_logprobs: [top === undefined ? null : Object.fromEntries(top)],
        text_offset: [this.#offset],
      };
    }
    this.#offset += text.length;
    return { text, index: this.choice.index, logprobs, finish_reason: finish ?? null };
  }

  whole(pieces: readonly Continuation[]) {
    const parts = pieces.map((piece) => this.piece(piece));
    const gathered = <Key extends keyof TextLogprobs>(key: Key) =>
      parts.flatMap(({ logprobs }) => (logprobs?.[key] ?? []) as TextLogprobs[Key][number][]);
    return {
      text: parts.map(({ text }) => text).join(""),
      index: this.choice.index,
      logprobs:
        this.body.logprobs == null
          ? null
          : {
              tokens: gathered("tokens"),
              token_logprobs: gathered("token_logprobs"),
              top_logprobs: gathered("top_logprobs"),
              text_offset: gathered("text_offset"),
            },
      finish_reason: parts.at(-1)?.finish_reason ?? "length",
    };
  }
}
