/** One problem laid open: what the model read, where the automaton was, what could follow and what the model said. */
import { type Edges, edgesOf, outgoing } from "./automaton.js";
import { dfaProbabilities, statePath } from "./exact-answers.js";
import { ngramProbabilities } from "./ngram.js";
import { type Predictor, toProbabilities } from "./predictor.js";
import type { Problem } from "./problem.js";
import { stringsSeen } from "./score.js";
import { argmax, positionScores, ScoreSums, type Scores } from "./scores.js";
import { decode, IGNORED, SYMBOLS, symbols } from "./vocabulary.js";

export interface InspectedPosition {
  readonly position: number;
  /** The token read here. */
  readonly token: string;
  /** The state of the minimal automaton after it. */
  readonly state: number;
  /** The string this position's successor belongs to, counted from 0. */
  readonly string: number;
  /** The token that came next; null where it is not scored (a separator). */
  readonly label: string | null;
  /** The letters that may follow. */
  readonly allowed: readonly string[];
  /** The model's most probable symbol, and whether it may follow. */
  readonly best: string;
  readonly correct: boolean;
  /** [20]: the model's probabilities. */
  readonly probabilities: readonly number[];
  /** [20]: the exact ones, and those of in-context 3-grams. */
  readonly exact: readonly number[];
  readonly ngram: readonly number[];
  /** ½ Σ |probabilities − exact|. */
  readonly totalVariation: number;
}

export interface InspectedProblem {
  readonly id: string;
  readonly text: string;
  readonly automaton: readonly Edges[];
  readonly symbols: readonly string[];
  readonly scores: Scores;
  readonly positions: readonly InspectedPosition[];
}

/** Plain data, ready for JSON. */
export async function inspectProblem(predictor: Predictor, problem: Problem): Promise<InspectedProblem> {
  const { input, labels, automaton } = problem;
  const [answer] = await predictor([input]);
  if (answer === undefined) throw new RangeError("the predictor gave no answer");
  const probabilities = toProbabilities(answer, predictor.output);
  const scores = positionScores(probabilities, problem);
  const states = statePath(input, automaton);
  const strings = stringsSeen(input);
  const exact = dfaProbabilities(input, automaton);
  const ngram = ngramProbabilities(input, 3);
  const row = (rows: Float64Array, at: number) => Array.from(rows.subarray(at * SYMBOLS, (at + 1) * SYMBOLS));
  return {
    id: problem.id,
    text: decode(problem.text),
    automaton: edgesOf(automaton),
    symbols,
    scores: new ScoreSums().add(scores).scores(),
    positions: Array.from(input, (token, at) => ({
      position: at,
      token: symbols[token]!,
      state: states[at]!,
      string: strings[at]!,
      label: labels[at] === IGNORED ? null : symbols[labels[at]!]!,
      allowed: outgoing(automaton, states[at]!).map((symbol) => symbols[symbol]!),
      best: symbols[argmax(probabilities, at)]!,
      correct: scores.allowed[at] === 1,
      probabilities: row(probabilities, at),
      exact: row(exact, at),
      ngram: row(ngram, at),
      totalVariation: scores.l1[at]! / 2,
    })),
  };
}
