/**
 * What is asked of the model for one story: three words that must occur, up to three features, a name, and how the story
 * begins. All of it follows from the seed and the number of the story.
 */
import type { Rng } from "@mm/run";
import { ADJECTIVES } from "../stories/adjectives.js";
import { NOUNS } from "../stories/nouns.js";
import { FEATURES, type Feature } from "../stories/scene.js";
import { VERBS } from "../stories/verbs.js";

/** The words that a prompt can require. */
export const WORDS = { verb: VERBS, noun: NOUNS, adjective: ADJECTIVES } as const;

export interface StoryPrompt {
  /** Without the name. */
  readonly text: string;
  readonly words: readonly string[];
  readonly features: readonly Feature[];
}

const FEATURE_SENTENCES: Record<Feature, string> = {
  Dialogue: "somebody in it speaks at least once",
  BadEnding: "it ends badly",
  MoralValue: "it teaches a moral value",
  Foreshadowing: "something early in it hints at what comes later",
  Twist: "something happens that nobody expects",
  Conflict: "there is some kind of conflict in it",
};

/** A prompt from the word lists that ship with this package. */
export function drawPrompt(rng: Rng): StoryPrompt {
  const verb = rng.pick(VERBS);
  const noun = rng.pick(NOUNS);
  const adjective = rng.pick(ADJECTIVES);
  const features = rng.sample(FEATURES, rng.integer(0, 4));
  return { text: promptText(verb, noun, adjective, features), words: [verb, noun, adjective], features };
}

export function promptText(verb: string, noun: string, adjective: string, features: readonly Feature[]): string {
  const wishes = features.map((feature) => FEATURE_SENTENCES[feature]);
  const last = wishes.pop();
  const list = wishes.length === 0 ? last : `${wishes.join(", ")}, and ${last}`;
  return [
    "Write a short story of 3 to 5 paragraphs, in very simple words that a child of three years understands.",
    `The story must use the verb "${verb}", the noun "${noun}" and the adjective "${adjective}".`,
    ...(last === undefined ? [] : [`It must have this: ${list}.`]),
    "Use simple words only.",
  ].join(" ");
}

const ANCHOR = "the verb";

/**
 * Puts the name in front of "the verb", as the paper does. The published code sends garbage when a prompt does not hold
 * these words exactly once; here the first of them counts, and a prompt without them gets a sentence at its end.
 */
export function withName(prompt: string, name: string): string {
  const at = prompt.indexOf(ANCHOR);
  if (at < 0) return `${prompt.trimEnd()} A character of the story has the name "${name}".`;
  return `${prompt.slice(0, at)}the character name "${name}", ${prompt.slice(at)}`;
}
