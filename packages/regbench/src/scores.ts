/**
 * The scores of RegBench. With p the predicted and q the exact next-symbol distribution at position i of the input:
 *
 *   dfaAccuracy        share of label positions whose most probable symbol (the first, if tied) may follow
 *   l1Distance         mean over all input positions of Σ_v |p_iv − q_iv|
 *   totalVariation     half of that, the textbook distance and the paper's TVD
 *   loss               mean over label positions of −ln p_i,label
 *
 * Label positions are those whose next token is a letter, the last position included. RegBench's public code calls
 * l1Distance "diff"; its figure notebook takes the accuracy over all positions, kept as dfaAccuracyAtAllPositions.
 */
import { dfaProbabilities } from "./exact-answers.js";
import type { Problem } from "./problem.js";
import { IGNORED, SYMBOLS } from "./vocabulary.js";

const { abs, log, max } = Math;
const TINIEST = Number.MIN_VALUE;

/** What every other score is a sum of: one number per input position. */
export interface PositionScores {
  /** 1 at label positions. */
  readonly labelled: Uint8Array;
  /** 1 where the most probable symbol may follow. */
  readonly allowed: Uint8Array;
  /** Σ_v |p_v − q_v|. */
  readonly l1: Float64Array;
  /** −ln(p_label + floor); 0 where there is no label. */
  readonly loss: Float64Array;
}

/** What RegBench adds to a probability before its logarithm where a predictor may answer 0 (n-grams). */
export const PROBABILITY_FLOOR = 1e-5;

/** The symbol of the largest entry of row `at`; the first one within `tolerance` of it. */
export function argmax(rows: Float64Array, at: number, tolerance = 0): number {
  const row = at * SYMBOLS;
  let most = rows[row]!;
  for (let symbol = 1; symbol < SYMBOLS; symbol++) most = max(most, rows[row + symbol]!);
  for (let symbol = 0; symbol < SYMBOLS; symbol++) if (rows[row + symbol]! >= most - tolerance) return symbol;
  throw new RangeError(`row ${at} of the prediction holds NaN`);
}

/**
 * @param probabilities [n, 20] for the n tokens of `problem.input`
 * @param floor added to probabilities before the logarithm
 * @throws RangeError if the prediction has another size
 */
export function positionScores(
  probabilities: Float64Array,
  problem: Problem,
  { floor = 0, tolerance = 0 } = {},
): PositionScores {
  const { input, labels, automaton } = problem;
  const positions = input.length;
  if (probabilities.length !== positions * SYMBOLS) {
    throw new RangeError(
      `problem ${problem.id} has ${positions} positions × ${SYMBOLS} symbols, the prediction ${probabilities.length} numbers`,
    );
  }
  const exact = dfaProbabilities(input, automaton);
  const scores = {
    labelled: new Uint8Array(positions),
    allowed: new Uint8Array(positions),
    l1: l1ByPosition(probabilities, exact),
    loss: new Float64Array(positions),
  };
  for (let at = 0; at < positions; at++) {
    if (exact[at * SYMBOLS + argmax(probabilities, at, tolerance)]! > 0) scores.allowed[at] = 1;
    if (labels[at] === IGNORED) continue;
    scores.labelled[at] = 1;
    scores.loss[at] = -log(max(probabilities[at * SYMBOLS + labels[at]!]! + floor, TINIEST));
  }
  return scores;
}

/** [n]: Σ_v |p_iv − q_iv| of two [n, 20] tables. */
export function l1ByPosition(p: Float64Array, q: Float64Array): Float64Array {
  const distances = new Float64Array(p.length / SYMBOLS);
  for (let at = 0, entry = 0; at < distances.length; at++) {
    let sum = 0;
    for (const end = entry + SYMBOLS; entry < end; entry++) sum += abs(p[entry]! - q[entry]!);
    distances[at] = sum;
  }
  return distances;
}

export interface Scores {
  readonly dfaAccuracy: number;
  readonly dfaAccuracyAtAllPositions: number;
  readonly l1Distance: number;
  readonly totalVariation: number;
  readonly totalVariationAtLabels: number;
  readonly loss: number;
}

/** Sums over positions, from which scores are means. Add any group of positions: a batch, a position, a string. */
export class ScoreSums {
  positions = 0;
  labels = 0;
  #allowed = 0;
  #allowedAtLabels = 0;
  #l1 = 0;
  #l1AtLabels = 0;
  #loss = 0;

  add(scores: PositionScores, from = 0, to = scores.l1.length): this {
    for (let at = from; at < to; at++) {
      this.positions++;
      this.#allowed += scores.allowed[at]!;
      this.#l1 += scores.l1[at]!;
      if (!scores.labelled[at]) continue;
      this.labels++;
      this.#allowedAtLabels += scores.allowed[at]!;
      this.#l1AtLabels += scores.l1[at]!;
      this.#loss += scores.loss[at]!;
    }
    return this;
  }

  /** NaN where there is nothing to average. */
  scores(): Scores {
    return {
      dfaAccuracy: this.#allowedAtLabels / this.labels,
      dfaAccuracyAtAllPositions: this.#allowed / this.positions,
      l1Distance: this.#l1 / this.positions,
      totalVariation: this.#l1 / this.positions / 2,
      totalVariationAtLabels: this.#l1AtLabels / this.labels / 2,
      loss: this.#loss / this.labels,
    };
  }
}

/** The mean of several scores, weighted; so the published trainer averages batches, by their numbers of problems. */
export function weightedMean(parts: readonly { readonly weight: number; readonly scores: Scores }[]): Scores {
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  const mean = (name: keyof Scores) =>
    parts.reduce((sum, { weight, scores }) => sum + weight * scores[name], 0) / total;
  return {
    dfaAccuracy: mean("dfaAccuracy"),
    dfaAccuracyAtAllPositions: mean("dfaAccuracyAtAllPositions"),
    l1Distance: mean("l1Distance"),
    totalVariation: mean("totalVariation"),
    totalVariationAtLabels: mean("totalVariationAtLabels"),
    loss: mean("loss"),
  };
}
