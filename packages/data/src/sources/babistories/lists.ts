/**
 * Openings and first names, asked of the model as numbered lists (the paper's first two stages), and how an answer
 * becomes entries.
 *
 *   "12. Once upon a time, in a forest..."  →  "Once", "Once upon", "Once upon a", …, at most 12 words
 *   "3. Mira"                               →  "Mira"
 */

const MAX_OPENING_WORDS = 12;
/** Longer names are left out, as are the words in which a model talks about its list. */
const MAX_NAME_LETTERS = 7;

/** Two ways to ask: the second wants more variety in the first words. */
export const OPENING_PROMPTS = [
  "Think of 100 different ways in which a story for small children can begin. Use only simple words that a small child knows. Write a numbered list, one beginning on each line, and stop each of them in the middle of its first sentence.",
  "Think of 100 different ways in which a story for small children can begin. Use only simple words that a small child knows. No two of them may start with the same words. Write a numbered list, one beginning on each line, and stop each of them in the middle of its first sentence.",
] as const;

export const NAME_PROMPT =
  "Write a numbered list of 100 different first names, one on each line. Take names for girls, for boys and for both, from all over the world.";

/** The text behind the number of each list entry. */
function* entries(answer: string): Iterable<string> {
  for (const line of answer.split("\n")) {
    const dot = line.indexOf(". ");
    if (dot >= 0) yield line.slice(dot + 2);
  }
}

/** All beginnings of each entry, from one word to twelve, without points. */
export function* openingsIn(answer: string): Iterable<string> {
  for (const entry of entries(answer.replaceAll("...", ""))) {
    const words = entry.replaceAll(".", "").trim().split(" ");
    for (let length = 1; length <= Math.min(words.length, MAX_OPENING_WORDS); length++) {
      const opening = words.slice(0, length).join(" ").trim();
      if (opening !== "") yield opening;
    }
  }
}

export function* namesIn(answer: string): Iterable<string> {
  for (const entry of entries(answer)) {
    const name = entry.trim();
    if (name !== "" && name.length <= MAX_NAME_LETTERS) yield name;
  }
}
