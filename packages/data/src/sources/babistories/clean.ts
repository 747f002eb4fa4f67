/** Cleans one story by the published rules, and counts which rule did what. */
import { cutMarkers, INSTRUCTION_END, REJECTED, TURN_MARKERS } from "./cleaning-rules.js";

export interface Cleaned {
  /** The clean story, or undefined when it is rejected. */
  readonly text: string | undefined;
  /** The markers that cut something off. */
  readonly cuts: readonly string[];
  /** Why it was rejected: the first forbidden string in it, or "empty". */
  readonly rejected: string | undefined;
}

/** The white space that Python's `strip` takes off; that of JavaScript's `trim` differs in a few characters. */
const BLANKS = new Set([
  ...Array.from({ length: 0x21 }, (_, code) => code).filter((code) => (code >= 9 && code <= 13) || code >= 0x1c),
  ...[0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000],
  ...Array.from({ length: 11 }, (_, offset) => 0x2000 + offset),
]);

function strip(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && BLANKS.has(text.charCodeAt(start))) start++;
  while (end > start && BLANKS.has(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/**
 * Cut at each marker, paragraphs joined by blanks, cut where the chat goes on, rejected if a forbidden character is left.
 * The published filter also keeps stories of which nothing is left; here they count as rejected.
 */
export class Cleaner {
  readonly #markers: readonly string[];

  constructor({ fusedDialogue = true }: { fusedDialogue?: boolean } = {}) {
    this.#markers = cutMarkers(fusedDialogue);
  }

  /** @param story the story alone; `storyOf` takes it from a text with its prompt */
  clean(story: string): Cleaned {
    const cuts: string[] = [];
    let text = this.#cut(strip(story), this.#markers, cuts);
    text = strip(text).replaceAll("\n\n", " ");
    text = strip(strip(this.#cut(text, TURN_MARKERS, cuts)).replaceAll("\n\n", " "));
    const forbidden = text === "" ? "empty" : REJECTED.find((part) => text.includes(part));
    return { text: forbidden === undefined ? text : undefined, cuts, rejected: forbidden };
  }

  #cut(text: string, markers: readonly string[], cuts: string[]): string {
    for (const marker of markers) {
      const at = text.indexOf(marker);
      if (at < 0) continue;
      text = text.slice(0, at);
      cuts.push(marker);
    }
    return text;
  }
}

/**
 * The story in the whole text of an instruction-tuned model, "[INST] prompt [/INST] story". The published code takes off
 * the first six characters of a text without that mark; here such a text is a story.
 */
export function storyOf(text: string): string {
  const at = text.indexOf(INSTRUCTION_END);
  return at < 0 ? text : text.slice(at + INSTRUCTION_END.length);
}
