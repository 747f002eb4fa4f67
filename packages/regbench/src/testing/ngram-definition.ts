/** The back-off n-gram as it is defined, with strings and recursion: counts everything anew at every position. */
import { decode, symbols } from "../vocabulary.js";

function occurrences(needle: string, texts: readonly string[]): number {
  let count = 0;
  for (const text of texts) for (let at = 0; at < text.length; at++) if (text.startsWith(needle, at)) count++;
  return count;
}

/** P(letter | context) from padded texts. */
function probability(letter: string, context: string, texts: readonly string[], letters: readonly string[]): number {
  const seen = (next: string) => occurrences(context + next, texts) > 0;
  const total = context === "" ? texts.join("").length : occurrences(context, texts);
  if (seen(letter)) return occurrences(context + letter, texts) / total;
  const beta = 1 - letters.filter(seen).reduce((sum, next) => sum + occurrences(context + next, texts) / total, 0);
  const shorter = (next: string) => probability(next, context.slice(1), texts, letters);
  const unseenMass = letters.filter((next) => !seen(next)).reduce((sum, next) => sum + shorter(next), 0);
  return (beta * shorter(letter)) / unseenMass;
}

/** One row of 20 after all of `tokens`. */
export function ngramRow(tokens: Int32Array, order: number): number[] {
  const padding = "_".repeat(order - 1);
  const texts = decode(tokens)
    .split("|")
    .map((text) => padding + text);
  const letters = symbols.filter((symbol) => symbol !== "|" && texts.some((text) => text.includes(symbol)));
  const current = texts.at(-1)!;
  const context = current.slice(current.length - (order - 1));
  return symbols.map((symbol) => (letters.includes(symbol) ? probability(symbol, context, texts, letters) : 0));
}
