import { closest, distance } from "fastest-levenshtein";

/** Of some names the one nearest to what was typed, where it is near enough to be a slip of the fingers. */
export function likelyMeant(typed: string, names: readonly string[]): string | undefined {
  const nearest = closest(typed, names);
  return distance(typed, nearest) <= Math.max(2, typed.length / 3) ? nearest : undefined;
}
