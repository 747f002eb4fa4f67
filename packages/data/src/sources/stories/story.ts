/**
 * One synthetic story: opening, love, plot (want, obstacle, attempts, resolution or failure), the asked features, closing.
 * Everything follows from a seed and the story's number.
 */
import type { Rng } from "@mm/run";
import { compile, StoryWriter, type Template } from "./grammar.js";
import * as parts from "./plots.js";
import { drawRequest, drawScene, type Scene, SLOTS, type StoryRequest } from "./scene.js";

const all = (texts: readonly string[]) => texts.map((text) => compile(text, SLOTS));

const OPENINGS = all(parts.OPENINGS);
const LOVES = all(parts.LOVES);
const FRIENDS = all(parts.FRIENDS);
const COLOURS = all(parts.COLOURS);
const HINTS = all(parts.HINTS);
const PAYOFFS = all(parts.PAYOFFS);
const CONFLICTS = all(parts.CONFLICTS);
const PEACE = all(parts.PEACE);
const DIALOGUES = all(parts.DIALOGUES);
const TWISTS = all(parts.TWISTS);
const CLOSINGS = all(parts.CLOSINGS);
const SAD_CLOSINGS = all(parts.SAD_CLOSINGS);
const MORAL = ["the moral is:", "so remember:", "{hero} learned something that day:", "and so everybody learned:"];
const PLOTS = parts.PLOTS.map((plot) => ({
  want: all(plot.want),
  obstacle: all(plot.obstacle),
  attempt: all(plot.attempt),
  resolution: all(plot.resolution),
  failure: all(plot.failure),
  morals: plot.morals.flatMap((moral) => all(MORAL.map((lead) => `${lead} ${moral}`))),
}));

export interface Story {
  readonly text: string;
  readonly hero: string;
  readonly request: StoryRequest;
}

/** Writes a story for a request, or for one drawn at random. */
export function writeStory(rng: Rng, asked?: Partial<StoryRequest>): Story {
  const request = { ...drawRequest(rng), ...asked };
  const scene = drawScene(rng, request);
  const writer = new StoryWriter<Scene>(scene, rng);
  const add = (alternatives: readonly Template<Scene>[]) => writer.add(rng.pick(alternatives));
  const has = (feature: StoryRequest["features"][number]) => request.features.includes(feature);
  const maybe = (chance: number, alternatives: readonly Template<Scene>[]) => {
    if (rng.uniform() < chance) add(alternatives);
  };
  const plot = rng.pick(PLOTS);

  add(OPENINGS);
  add(LOVES);
  maybe(0.5, COLOURS);
  add(FRIENDS);
  if (has("Foreshadowing")) add(HINTS);
  add(plot.want);
  maybe(0.4, COLOURS);
  if (has("Dialogue")) add(DIALOGUES);
  add(plot.obstacle);
  maybe(0.3, COLOURS);
  if (has("Conflict")) add(CONFLICTS);
  for (const attempt of rng.sample(plot.attempt, rng.integer(1, 3))) writer.add(attempt);
  if (has("Conflict") && !has("BadEnding")) add(PEACE);
  if (has("Foreshadowing") && !has("BadEnding")) add(PAYOFFS);
  add(has("BadEnding") ? plot.failure : plot.resolution);
  if (has("Twist")) add(TWISTS);
  add(has("BadEnding") ? SAD_CLOSINGS : CLOSINGS);
  if (has("MoralValue")) add(plot.morals);
  return { text: writer.text, hero: scene.hero.name, request };
}
