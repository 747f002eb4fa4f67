/**
 * Scores a predictor on problems: whole, batch by batch as the published trainer averages, along the text, and beside
 * the in-context n-grams.
 */
import { dfaProbabilities } from "./exact-answers.js";
import { ngramProbabilities } from "./ngram.js";
import { type Predictor, type Rows, toProbabilities } from "./predictor.js";
import type { Problem } from "./problem.js";
import {
  argmax,
  l1ByPosition,
  PROBABILITY_FLOOR,
  positionScores,
  ScoreSums,
  type Scores,
  weightedMean,
} from "./scores.js";
import { SEPARATOR, SYMBOLS } from "./vocabulary.js";

export interface ScoreOptions {
  /** Problems given to the predictor at once; also the batches of `perBatch`. */
  readonly batch?: number;
  /** n-gram orders to compare with. */
  readonly ngrams?: readonly number[];
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** How a predictor agrees with in-context n-grams of one order. */
export interface NgramAgreement {
  readonly order: number;
  /** ½ · mean over all positions of Σ_v |p − ngram|. */
  readonly totalVariation: number;
  /** The same distance between the n-grams and the exact answers. */
  readonly ngramTotalVariation: number;
  /** Share of label positions where the predictor's most probable symbol is (or ties with) the n-gram's. */
  readonly sameBest: number;
}

/** A group of positions: `at` is the 0-based position, or the number of complete strings before it. */
export interface ScoredGroup extends Scores {
  readonly at: number;
  readonly positions: number;
  readonly labels: number;
}

export interface ScoreResult {
  readonly problems: number;
  readonly positions: number;
  readonly labels: number;
  /** Means over all positions of all problems. */
  readonly pooled: Scores;
  /** Pooled within batches, then averaged with the batch sizes as weights: what the published trainer logs. */
  readonly perBatch: Scores;
  readonly byPosition: readonly ScoredGroup[];
  readonly byStringsSeen: readonly ScoredGroup[];
  readonly ngrams: readonly NgramAgreement[];
}

/** @throws RangeError where the predictor's answer has another size than the question */
export async function score(
  predictor: Predictor,
  problems: readonly Problem[],
  { batch = 32, ngrams = [], onProgress, signal }: ScoreOptions = {},
): Promise<ScoreResult> {
  const pooled = new ScoreSums();
  const batches: { weight: number; scores: Scores }[] = [];
  const byPosition: ScoreSums[] = [];
  const byStringsSeen: ScoreSums[] = [];
  const agreements = ngrams.map((order) => new AgreementSums(order));
  const probabilityOutput = predictor.output === "probabilities";

  for (let start = 0; start < problems.length; start += batch) {
    signal?.throwIfAborted();
    const group = problems.slice(start, start + batch);
    const answers = await answersOf(predictor, group);
    const sums = new ScoreSums();
    for (const [index, problem] of group.entries()) {
      const probabilities = toProbabilities(answers[index]!, predictor.output);
      const scores = positionScores(probabilities, problem, { floor: probabilityOutput ? PROBABILITY_FLOOR : 0 });
      pooled.add(scores);
      sums.add(scores);
      const seen = stringsSeen(problem.input);
      for (let at = 0; at < seen.length; at++) {
        groupAt(byPosition, at).add(scores, at, at + 1);
        groupAt(byStringsSeen, seen[at]!).add(scores, at, at + 1);
      }
      for (const agreement of agreements) agreement.add(probabilities, scores.labelled, problem);
    }
    batches.push({ weight: group.length, scores: sums.scores() });
    onProgress?.(start + group.length, problems.length);
  }
  return {
    problems: problems.length,
    positions: pooled.positions,
    labels: pooled.labels,
    pooled: pooled.scores(),
    perBatch: weightedMean(batches),
    byPosition: byPosition.map(groupOf),
    byStringsSeen: byStringsSeen.map(groupOf),
    ngrams: agreements.map((agreement) => agreement.result()),
  };
}

async function answersOf(predictor: Predictor, group: readonly Problem[]): Promise<Rows[]> {
  const answers = await predictor(group.map((problem) => problem.input));
  if (answers.length === group.length) return answers;
  throw new RangeError(`the predictor answered ${answers.length} of ${group.length} sequences`);
}

/** [n]: how many strings were complete before each token's successor; a separator completes one. */
export function stringsSeen(tokens: Int32Array): Int32Array {
  let seen = 0;
  return tokens.map((token) => (token === SEPARATOR ? ++seen : seen));
}

function groupAt(groups: ScoreSums[], at: number): ScoreSums {
  groups[at] ??= new ScoreSums();
  return groups[at];
}

function groupOf(sums: ScoreSums, at: number): ScoredGroup {
  return { at, positions: sums.positions, labels: sums.labels, ...sums.scores() };
}

/** Ties among n-gram probabilities are frequent, and exact up to rounding. */
const TIE = 1e-9;

class AgreementSums {
  readonly #order: number;
  #positions = 0;
  #labels = 0;
  #l1 = 0;
  #exactL1 = 0;
  #same = 0;

  constructor(order: number) {
    this.#order = order;
  }

  add(probabilities: Float64Array, labelled: Uint8Array, problem: Problem): void {
    const ngram = ngramProbabilities(problem.input, this.#order);
    for (const distance of l1ByPosition(probabilities, ngram)) this.#l1 += distance;
    for (const distance of l1ByPosition(dfaProbabilities(problem.input, problem.automaton), ngram)) {
      this.#exactL1 += distance;
    }
    for (let at = 0; at < labelled.length; at++) {
      this.#positions++;
      if (!labelled[at]) continue;
      this.#labels++;
      const row = at * SYMBOLS;
      if (ngram[row + argmax(probabilities, at)]! >= ngram[row + argmax(ngram, at)]! - TIE) this.#same++;
    }
  }

  result(): NgramAgreement {
    return {
      order: this.#order,
      totalVariation: this.#l1 / this.#positions / 2,
      ngramTotalVariation: this.#exactL1 / this.#positions / 2,
      sameBest: this.#same / this.#labels,
    };
  }
}

/** A metric row without the run and step that its writer knows. */
export interface ScoreRow {
  readonly split: string;
  readonly metric: string;
  readonly value: number;
  readonly tags: Readonly<Record<string, string | number | boolean>>;
}

/**
 * A result as metric rows: `dfaAccuracy`, `totalVariation`, … tagged `average: "batch" | "pooled"`; the same by position
 * (`dfaAccuracyByPosition`, tag `position`) and by strings seen (`…ByStringsSeen`, tag `strings`); and
 * `ngramTotalVariation`, `ngramSameBest` (tag `order`).
 */
export function scoreRows(result: ScoreResult, split = "test"): ScoreRow[] {
  const rows: ScoreRow[] = [];
  const add = (metric: string, value: number, tags: ScoreRow["tags"]) => {
    if (!Number.isNaN(value)) rows.push({ split, metric, value, tags });
  };
  for (const [average, scores] of [
    ["batch", result.perBatch],
    ["pooled", result.pooled],
  ] as const) {
    for (const [metric, value] of Object.entries(scores)) add(metric, value, { average });
  }
  for (const group of result.byPosition) {
    const tags = { position: group.at, count: group.positions };
    add("dfaAccuracyByPosition", group.dfaAccuracy, tags);
    add("totalVariationByPosition", group.totalVariation, tags);
  }
  for (const group of result.byStringsSeen) {
    const tags = { strings: group.at, count: group.positions };
    add("dfaAccuracyByStringsSeen", group.dfaAccuracy, tags);
    add("totalVariationByStringsSeen", group.totalVariation, tags);
  }
  for (const { order, totalVariation, sameBest } of result.ngrams) {
    add("ngramTotalVariation", totalVariation, { order });
    add("ngramSameBest", sameBest, { order });
  }
  return rows;
}
