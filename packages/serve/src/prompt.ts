/** Text to the tokens that a model continues. */
import type { Tokenizer } from "@mm/data";
import { UserError } from "@mm/run";

/**
 * The ids of a prompt. An empty one begins a new text, after the end of another.
 *
 * @throws UserError when it is empty and the tokenizer knows no end of text
 */
export function encodePrompt(tokenizer: Tokenizer, text: string): number[] {
  const ids = Array.from(tokenizer.encode(text));
  if (ids.length > 0) return ids;
  if (tokenizer.info.endOfText !== null) return [tokenizer.info.endOfText];
  throw new UserError("Expected a prompt but found none.", {
    hint: "This tokenizer knows no end of text to begin with.",
  });
}
