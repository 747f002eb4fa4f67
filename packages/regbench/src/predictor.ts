/**
 * How RegBench sees a model: a function from token sequences to one row of 20 numbers per token, the answer to "what
 * comes next?". Numbers are logits unless the function says `output: "probabilities"`; probability rows are taken as
 * they are (back-off n-grams do not always sum to one).
 */
import { dfaProbabilities } from "./exact-answers.js";
import type { Problem } from "./problem.js";
import { LETTERS, SYMBOLS } from "./vocabulary.js";

const { exp, max } = Math;

/** [n, 20], row-major. */
export type Rows = Float32Array | Float64Array;

export interface Predictor {
  (sequences: Int32Array[]): Promise<Rows[]> | Rows[];
  readonly output?: "logits" | "probabilities";
}

/** A predictor that answers each sequence on its own, with probabilities. */
export function probabilityPredictor(rowsOf: (tokens: Int32Array) => Rows): Predictor {
  return Object.assign((sequences: Int32Array[]) => sequences.map(rowsOf), { output: "probabilities" } as const);
}

/** Knows every language: scores accuracy 1 and distance 0. It recognises a problem by its tokens. */
export function oracle(problems: readonly Problem[]): Predictor {
  const automata = new Map(problems.map((problem) => [problem.input.join(), problem.automaton]));
  return probabilityPredictor((tokens) => {
    const automaton = automata.get(tokens.join());
    if (automaton === undefined) throw new RangeError("the oracle was asked about a problem it was not given");
    return dfaProbabilities(tokens, automaton);
  });
}

/** Every letter equally likely, always. */
export const uniformPredictor: Predictor = probabilityPredictor((tokens) => {
  const rows = new Float64Array(tokens.length * SYMBOLS);
  return rows.map((_, at) => (at % SYMBOLS >= 1 && at % SYMBOLS <= LETTERS ? 1 / LETTERS : 0));
});

/** [n, 20] probabilities in float64, whatever the predictor gives. */
export function toProbabilities(rows: Rows, output: Predictor["output"] = "logits"): Float64Array {
  const probabilities = new Float64Array(rows);
  if (output === "probabilities") return probabilities;
  for (let start = 0; start < probabilities.length; start += SYMBOLS) {
    const end = start + SYMBOLS;
    let most = probabilities[start]!;
    for (let at = start + 1; at < end; at++) most = max(most, probabilities[at]!);
    let sum = 0;
    for (let at = start; at < end; at++) {
      probabilities[at] = exp(probabilities[at]! - most);
      sum += probabilities[at]!;
    }
    for (let at = start; at < end; at++) probabilities[at] = probabilities[at]! / sum;
  }
  return probabilities;
}
