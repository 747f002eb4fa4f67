/**
 * A problem is one language and one text of strings drawn from it; a model reads the text and must infer the language
 * on the way. One problem is one sequence, one automaton is one "environment".
 *
 *   text    a b | a c a      tokens seen and produced
 *   input   a b | a c        text without its last token
 *   labels  b – a c a        the next token; ignored (–) where that is the separator, so a model is never trained to
 *                            end a string but is trained on the first letter after it
 */
import { Rng } from "@mm/run";
import {
  type Automaton,
  type AutomatonClass,
  outgoing,
  publishedClass,
  type Range,
  sampleAutomaton,
  step,
} from "./automaton.js";
import { minimise } from "./minimise.js";
import { IGNORED, SEPARATOR } from "./vocabulary.js";

export interface Problem {
  /** Split and number, such as "test-17". */
  readonly id: string;
  /** The minimal automaton of the language, in canonical form. */
  readonly automaton: Automaton;
  /** The automaton as drawn, before minimising. */
  readonly sampled: Automaton;
  readonly text: Int32Array;
  readonly input: Int32Array;
  readonly labels: Int32Array;
}

export interface ProblemClass extends AutomatonClass {
  readonly strings: Range;
  readonly length: Range;
}

/** 10 … 19 strings of 1 … 49 letters: at most 949 tokens. */
export const publishedProblems: ProblemClass = { ...publishedClass, strings: [10, 19], length: [1, 49] };

/** One string: `length` letters along a uniform walk. @throws RangeError in a state without outgoing edges */
export function sampleString(automaton: Automaton, length: number, rng: Rng): number[] {
  const string: number[] = [];
  for (let state = automaton.initial; string.length < length; ) {
    const symbol = rng.pick(outgoing(automaton, state));
    string.push(symbol);
    state = step(automaton, state, symbol);
  }
  return string;
}

export function sampleProblem(id: string, rng: Rng, settings: ProblemClass = publishedProblems): Problem {
  const sampled = sampleAutomaton(rng.fork("automaton"), settings);
  const automaton = minimise(sampled);
  const draw = rng.fork("strings");
  const text: number[] = [];
  for (let left = draw.integer(settings.strings[0], settings.strings[1] + 1); left > 0; left--) {
    if (text.length > 0) text.push(SEPARATOR);
    text.push(...sampleString(automaton, draw.integer(settings.length[0], settings.length[1] + 1), draw));
  }
  return problemOf(id, automaton, Int32Array.from(text), sampled);
}

/** The problem of a given text. */
export function problemOf(id: string, automaton: Automaton, text: Int32Array, sampled = automaton): Problem {
  const labels = text.slice(1).map((token) => (token === SEPARATOR ? IGNORED : token));
  return { id, automaton, sampled, text, input: text.slice(0, -1), labels };
}

export interface Splits {
  readonly train: Problem[];
  readonly valid: Problem[];
  readonly test: Problem[];
}

/**
 * The problems of an experiment. Each is drawn from its own fork of the seed, so the training sets of one seed are
 * nested (the first 100 of 500 environments are the 100 environments) and share their validation and test problems.
 * As in the published generator, languages may repeat within and between splits.
 */
export function buildProblems(settings: {
  environments: number;
  seed: number;
  valid?: number;
  test?: number;
  class?: ProblemClass;
}): Splits {
  const rng = Rng.fromSeed(settings.seed).fork("regbench");
  const draw = (split: string, count: number) =>
    Array.from({ length: count }, (_, at) => sampleProblem(`${split}-${at}`, rng.fork(split).fork(at), settings.class));
  return {
    train: draw("train", settings.environments),
    valid: draw("valid", settings.valid ?? 500),
    test: draw("test", settings.test ?? 500),
  };
}
