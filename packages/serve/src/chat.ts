/**
 * POST /v1/chat/completions. The models are no chat models; a conversation is put to them as the text
 *
 *   system text ⏎⏎ User: … ⏎⏎ Assistant: … ⏎⏎ User: … ⏎⏎ Assistant:
 *
 * and their answer ends before the next "User:". A single message of a user is given as it is: a text to continue.
 */
import type { Overflow } from "@mm/models";
import { choicesOf, encode, stopsOf } from "./choices.js";
import type { Continuation } from "./continuation.js";
import type { Engine, GeneratedToken } from "./engine.js";
import type { Limits } from "./limits.js";
import type { ChatBody, Message } from "./requests.js";
import { tokenBytes, tokenName } from "./token-names.js";

const DEFAULT_TOKENS = 256;
const NEXT_TURN = "\n\nUser:";

export function chatPrompt(messages: readonly Message[]): string {
  if (messages.length === 1 && messages[0]!.role === "user") return messages[0]!.content;
  const turns = messages.map(({ role, content }) => {
    if (role === "user") return `User: ${content}`;
    return role === "assistant" ? `Assistant: ${content}` : content;
  });
  return [...turns, "Assistant:"].join("\n\n");
}

export function chatChoices(engine: Engine, body: ChatBody, limits: Limits, overflow: Overflow) {
  const choices = choicesOf(
    engine,
    body,
    {
      prompts: [encode(engine, chatPrompt(body.messages))],
      maxTokens: body.max_completion_tokens ?? body.max_tokens ?? Math.min(DEFAULT_TOKENS, limits.completionTokens),
      alternatives: body.logprobs ? (body.top_logprobs ?? 0) : undefined,
    },
    limits,
    overflow,
  );
  const alone = body.messages.length === 1;
  return { choices, stops: alone ? stopsOf(body) : [...stopsOf(body), NEXT_TURN] };
}

export class ChatWriter {
  constructor(
    private readonly engine: Engine,
    private readonly body: ChatBody,
    private readonly index: number,
  ) {}

  /** The first event of a stream says who speaks. */
  opening() {
    return { index: this.index, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null };
  }

  piece({ text, token, finish }: Continuation) {
    return {
      index: this.index,
      delta: text === "" ? {} : { content: text },
      logprobs: this.#logprobs(token === undefined ? [] : [token]),
      finish_reason: finish ?? null,
    };
  }

  whole(pieces: readonly Continuation[]) {
    const content = pieces.map(({ text }) => text).join("");
    return {
      index: this.index,
      message: { role: "assistant", content, refusal: null },
      logprobs: this.#logprobs(pieces.flatMap(({ token }) => (token === undefined ? [] : [token]))),
      finish_reason: pieces.at(-1)?.finish ?? "length",
    };
  }

  #logprobs(tokens: readonly GeneratedToken[]) {
    if (!this.body.logprobs) return null;
    const { tokenizer } = this.engine.model;
    const scored = (token: number, logprob: number) => ({
      token: tokenName(tokenizer, token),
      logprob,
      bytes: tokenBytes(tokenizer, token),
    });
    const content = tokens.map(({ token, logProbability = Number.NaN, alternatives = [] }) => ({
      ...scored(token, logProbability),
      top_logprobs: alternatives.map((other) => scored(other.token, other.logProbability)),
    }));
    return { content, refusal: null };
  }
}
