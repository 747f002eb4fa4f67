/**
 * The cast and the props of one story, drawn once and then kept, so that a name, a pronoun or a wanted thing that comes
 * back later is the same one; and the slots by which templates name them. Slots for passing words draw anew each time.
 */
import type { Rng } from "@mm/run";
import {
  ADJECTIVES,
  ADVERBS,
  adverb,
  COMPARABLE,
  comparative,
  FEELINGS,
  QUALITIES,
  superlative,
  TRAITS,
} from "./adjectives.js";
import { indefinite, type Slots } from "./grammar.js";
import { BOYS, GIRLS, PETS } from "./names.js";
import { ANIMALS, FOODS, NATURE, OBJECTS, OTHERS, PEOPLE, PLACES, plural, singular, UNCOUNTED } from "./nouns.js";
import { ACTIONS, ACTIVITIES, base, past, progressive, thirdPerson, VERBS } from "./verbs.js";

/** The story features of the TinyStories and BabiStories prompts. */
export const FEATURES = ["Dialogue", "BadEnding", "MoralValue", "Foreshadowing", "Twist", "Conflict"] as const;
export type Feature = (typeof FEATURES)[number];

/** What a prompt asks of a story. */
export interface StoryRequest {
  readonly verb: string;
  readonly noun: string;
  readonly adjective: string;
  readonly features: readonly Feature[];
}

interface Pronouns {
  readonly he: string;
  readonly him: string;
  readonly his: string;
  readonly himself: string;
}

const HE: Pronouns = { he: "he", him: "him", his: "his", himself: "himself" };
const SHE: Pronouns = { he: "she", him: "her", his: "her", himself: "herself" };

interface Character {
  readonly name: string;
  /** "girl", "fox". */
  readonly kind: string;
  readonly pronouns: Pronouns;
}

export interface Scene {
  readonly rng: Rng;
  readonly request: StoryRequest;
  readonly hero: Character;
  readonly friend: Character;
  readonly elder: Character;
  readonly stranger: Character;
  readonly place: string;
  readonly goal: string;
  readonly trait: string;
  /** The small thing that a foreshadowing mentions early and that saves the day later. */
  readonly keepsake: string;
}

const counted = (entries: readonly string[]) => entries.map(singular).filter((noun) => !UNCOUNTED.has(noun));
const objects = counted(OBJECTS);
const animals = counted(ANIMALS);
const foods = counted(FOODS);
const nature = counted(NATURE);
const people = counted(PEOPLE);
const others = counted(OTHERS);
const places = PLACES.map(singular);
const things = [...objects, ...objects, ...animals, ...foods];
const activities = ACTIVITIES.map(base);
const actions = ACTIONS.map(base);
const masses = [...UNCOUNTED];
const adverbs = [...new Set([...ADVERBS, ...TRAITS.filter((trait) => !trait.endsWith("ly")).map(adverb)])];

/** Early words are drawn more often, as in any language: the chance falls like 1/√rank. */
function common<T>(rng: Rng, items: readonly T[]): T {
  const draw = rng.uniform();
  return items[Math.floor(draw * draw * items.length)]!;
}

/** Draws what a prompt would ask for: a verb, a noun, an adjective and up to three features. */
export function drawRequest(rng: Rng): StoryRequest {
  return {
    verb: common(rng, activities),
    noun: rng.pick(things),
    adjective: common(rng, QUALITIES),
    features: rng.sample(FEATURES, rng.integer(0, 4)),
  };
}

const ELDERS: readonly Character[] = [
  ...["mother", "grandmother", "aunt", "big sister", "mom", "grandma", "teacher"].map((kind) => elder(kind, SHE)),
  ...["father", "grandfather", "uncle", "big brother", "dad", "grandpa", "neighbor"].map((kind) => elder(kind, HE)),
];

function elder(kind: string, pronouns: Pronouns): Character {
  return { name: kind, kind, pronouns };
}

export function drawScene(rng: Rng, request: StoryRequest): Scene {
  const hero = drawCharacter(rng);
  let friend = drawCharacter(rng);
  while (friend.name === hero.name) friend = drawCharacter(rng);
  const place = common(rng, places);
  let goal = common(rng, places);
  while (goal === place) goal = common(rng, places);
  const kind = rng.pick(people);
  const female = rng.uniform() < 0.5 ? !/man$|king|prince$|wizard/.test(kind) : /queen|princess|witch/.test(kind);
  return {
    rng,
    request,
    hero,
    friend,
    elder: rng.pick(ELDERS),
    stranger: { name: kind, kind, pronouns: female ? SHE : HE },
    place,
    goal,
    trait: common(rng, TRAITS),
    keepsake: rng.pick(objects),
  };
}

function drawCharacter(rng: Rng): Character {
  const draw = rng.uniform();
  if (draw < 0.36) return { name: common(rng, GIRLS), kind: "girl", pronouns: SHE };
  if (draw < 0.72) return { name: common(rng, BOYS), kind: "boy", pronouns: HE };
  return { name: rng.pick(PETS), kind: common(rng, animals), pronouns: rng.uniform() < 0.5 ? HE : SHE };
}

const withArticle = (noun: string, words: string) => (UNCOUNTED.has(noun) ? `some ${words}` : indefinite(words));
const describe = ({ request }: Scene) => `${request.adjective} ${request.noun}`;

/** How the templates name things. */
export const SLOTS: Slots<Scene> = {
  hero: ({ hero }) => hero.name,
  kind: ({ hero }) => hero.kind,
  he: ({ hero }) => hero.pronouns.he,
  him: ({ hero }) => hero.pronouns.him,
  his: ({ hero }) => hero.pronouns.his,
  himself: ({ hero }) => hero.pronouns.himself,
  friend: ({ friend }) => friend.name,
  friendKind: ({ friend }) => friend.kind,
  friendHe: ({ friend }) => friend.pronouns.he,
  friendHim: ({ friend }) => friend.pronouns.him,
  friendHis: ({ friend }) => friend.pronouns.his,
  elder: ({ elder }) => elder.name,
  elderHe: ({ elder }) => elder.pronouns.he,
  elderHim: ({ elder }) => elder.pronouns.him,
  elderHis: ({ elder }) => elder.pronouns.his,
  stranger: ({ stranger }) => stranger.name,
  strangerHe: ({ stranger }) => stranger.pronouns.he,
  strangerHim: ({ stranger }) => stranger.pronouns.him,
  strangerHis: ({ stranger }) => stranger.pronouns.his,
  place: ({ place }) => place,
  goal: ({ goal }) => goal,
  trait: ({ trait }) => trait,
  keepsake: ({ keepsake }) => keepsake,
  aKeepsake: ({ keepsake }) => indefinite(keepsake),
  aCostume: ({ rng }) => indefinite(`${rng.pick(animals)} costume`),
  aQualityObject: ({ rng }) => indefinite(`${common(rng, QUALITIES)} ${rng.pick(objects)}`),
  aQualityFood: ({ rng }) => indefinite(`${common(rng, QUALITIES)} ${rng.pick(foods)}`),
  thing: describe,
  aThing: (scene) => withArticle(scene.request.noun, describe(scene)),
  noun: ({ request }) => request.noun,
  nouns: ({ request }) => plural(request.noun),
  adjective: ({ request }) => request.adjective,
  verb: ({ request }) => request.verb,
  verbs: ({ request }) => thirdPerson(request.verb),
  verbed: ({ request }) => past(request.verb),
  verbing: ({ request }) => progressive(request.verb),

  object: ({ rng }) => rng.pick(objects),
  objects: ({ rng }) => plural(rng.pick(objects)),
  animal: ({ rng }) => common(rng, animals),
  animals: ({ rng }) => plural(rng.pick(animals)),
  food: ({ rng }) => common(rng, foods),
  foods: ({ rng }) => plural(rng.pick(foods)),
  nature: ({ rng }) => common(rng, nature),
  natures: ({ rng }) => plural(rng.pick(nature)),
  person: ({ rng }) => common(rng, people),
  people: ({ rng }) => plural(rng.pick(people)),
  other: ({ rng }) => common(rng, others),
  others: ({ rng }) => plural(rng.pick(others)),
  somewhere: ({ rng }) => common(rng, places),
  places: ({ rng }) => plural(rng.pick(places)),
  mass: ({ rng }) => rng.pick(masses),
  activity: ({ rng }) => common(rng, activities),
  activitys: ({ rng }) => thirdPerson(rng.pick(activities)),
  activityed: ({ rng }) => past(rng.pick(activities)),
  activitying: ({ rng }) => progressive(rng.pick(activities)),
  action: ({ rng }) => common(rng, actions),
  actions: ({ rng }) => thirdPerson(rng.pick(actions)),
  actioned: ({ rng }) => past(rng.pick(actions)),
  actioning: ({ rng }) => progressive(rng.pick(actions)),
  anyVerb: ({ rng }) => rng.pick(VERBS),
  quality: ({ rng }) => common(rng, QUALITIES),
  anyAdjective: ({ rng }) => rng.pick(ADJECTIVES),
  feeling: ({ rng }) => common(rng, FEELINGS),
  anyTrait: ({ rng }) => common(rng, TRAITS),
  adverb: ({ rng }) => common(rng, adverbs),
  more: ({ rng }) => comparative(rng.pick(COMPARABLE)),
  most: ({ rng }) => superlative(rng.pick(COMPARABLE)),
};
