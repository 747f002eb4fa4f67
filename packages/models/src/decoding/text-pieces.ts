/** Tokens to text piece by piece: a character whose bytes are spread over several tokens comes with the last of them. */

/** What decoders write for bytes that are no character (yet). */
const INCOMPLETE = "\uFFFD";
/** A character has at most four bytes: after so many tokens nothing more completes it. */
const LONGEST_WAIT = 4;

export class TextPieces {
  #waiting: number[] = [];

  /** @param decode the tokenizer's: ids to text */
  constructor(private readonly decode: (tokens: readonly number[]) => string) {}

  /** The text that is complete with this token, possibly none. */
  push(token: number): string {
    this.#waiting.push(token);
    const text = this.decode(this.#waiting);
    if (text.endsWith(INCOMPLETE) && this.#waiting.length < LONGEST_WAIT) return "";
    this.#waiting = [];
    return text;
  }

  /** What is left at the end, incomplete characters as U+FFFD. */
  flush(): string {
    const text = this.#waiting.length === 0 ? "" : this.decode(this.#waiting);
    this.#waiting = [];
    return text;
  }
}
