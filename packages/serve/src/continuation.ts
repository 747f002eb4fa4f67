/** Tokens to text: pieces that may be shown, ended by a stop string, the end-of-text token or the limit of tokens. */
import { StopStrings, TextPieces } from "@mm/models";
import type { Engine, GeneratedToken, GenerationRequest } from "./engine.js";

export type FinishReason = "stop" | "length";

export interface Continuation {
  /** Text that became certain, possibly none. */
  text: string;
  /** The token behind it; none for what was held back at the end. */
  token?: GeneratedToken;
  /** With the last piece. */
  finish?: FinishReason;
}

/** Writes a text piece by piece. The end-of-text token and what follows a stop string are not part of it. */
export async function* continueText(
  engine: Engine,
  request: GenerationRequest,
  stops: readonly string[] = [],
  signal?: AbortSignal,
): AsyncGenerator<Continuation> {
  const { tokenizer } = engine.model;
  const decode = (ids: readonly number[]) => tokenizer.decode(ids);
  const prompt = new TextPieces(decode);
  const pieces = new TextPieces(decode);
  const stop = new StopStrings(stops);
  for await (const token of engine.generate(request, signal)) {
    if (token.ofPrompt) {
      yield { text: prompt.push(token.token), token };
      continue;
    }
    if (token.token === tokenizer.info.endOfText) {
      yield { text: stop.push(pieces.flush()) + stop.flush(), finish: "stop" };
      return;
    }
    const text = stop.push(pieces.push(token.token));
    if (stop.stopped) {
      yield { text, token, finish: "stop" };
      return;
    }
    yield { text, token };
  }
  const rest = stop.push(pieces.flush());
  yield { text: rest + stop.flush(), finish: stop.stopped ? "stop" : "length" };
}
