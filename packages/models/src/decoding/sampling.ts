/**
 * Choosing the next token by its logits. Probabilities are weights relative to the most probable token; a filter sets
 * weights to 0. Equal tokens share their fate: ties at a filter's border are kept, so the order of the vocabulary decides
 * nothing.
 */
import type { Rng } from "@mm/run";

export interface Sampling {
  /** Divides the logits; 0 always takes the most probable token (the smallest id among equals). */
  temperature: number;
  /** Keeps only tokens at least as probable as the k-th most probable one. */
  topK?: number | undefined;
  /** Keeps the most probable tokens that together reach this probability (nucleus sampling, arXiv 1904.09751). */
  topP?: number | undefined;
  /** Keeps tokens of at least this share of the greatest probability (arXiv 2407.01082). */
  minP?: number | undefined;
  /** Makes tokens of the text less likely: logits are divided by it, or multiplied where negative (arXiv 1909.05858). */
  repetitionPenalty?: number | undefined;
  /** Source of the draws; not needed at temperature 0. */
  rng?: Rng | undefined;
}

/**
 * Chooses one token; the filters apply in the order penalty, temperature, top-k, top-p, min-p.
 *
 * @param text the tokens so far, for the repetition penalty
 */
export function chooseToken(logits: Float32Array, sampling: Sampling, text: Iterable<number> = []): number {
  const { temperature, topK, topP, minP, repetitionPenalty = 1, rng } = sampling;
  const scores = repetitionPenalty === 1 ? logits : penaliseRepetition(logits, text, repetitionPenalty);
  const most = greatest(scores);
  if (!Number.isFinite(most)) throw new Error(`expected finite logits, found ${most} as the largest`);
  if (temperature === 0) return scores.indexOf(most);
  if (rng === undefined) throw new Error("sampling at a temperature above 0 needs a random stream");
  let weights = softmaxWeights(scores, temperature);
  if (topK !== undefined) weights = keepTopK(weights, topK);
  if (topP !== undefined && topP < 1) weights = keepTopP(weights, topP);
  if (minP !== undefined && minP > 0) weights = keepMinP(weights, minP);
  return draw(weights, rng);
}

export function penaliseRepetition(logits: Float32Array, text: Iterable<number>, penalty: number): Float32Array {
  const scores = Float32Array.from(logits);
  for (const token of new Set(text)) {
    const logit = scores[token];
    if (logit !== undefined) scores[token] = logit > 0 ? logit / penalty : logit * penalty;
  }
  return scores;
}

/** exp((logit − greatest)/temperature): the greatest weight is 1. */
export function softmaxWeights(logits: Float32Array, temperature: number): Float64Array {
  const most = greatest(logits);
  const weights = new Float64Array(logits.length);
  for (let i = 0; i < logits.length; i++) weights[i] = Math.exp((logits[i]! - most) / temperature);
  return weights;
}

export function keepTopK(weights: Float64Array, k: number): Float64Array {
  return k >= weights.length ? weights : atLeast(weights, ascending(weights).at(-Math.max(1, k))!);
}

export function keepTopP(weights: Float64Array, p: number): Float64Array {
  const sorted = ascending(weights);
  let missing = p * sum(sorted);
  let at = sorted.length;
  do missing -= sorted[--at]!;
  while (missing > 0 && at > 0);
  return atLeast(weights, sorted[at]!);
}

export function keepMinP(weights: Float64Array, share: number): Float64Array {
  return atLeast(weights, share * greatest(weights));
}

/** Draws an index with probability proportional to its weight. */
export function draw(weights: Float64Array, rng: Rng): number {
  let remaining = rng.uniform() * sum(weights);
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue;
    last = i;
    remaining -= weights[i]!;
    if (remaining < 0) break;
  }
  return last;
}

function atLeast(weights: Float64Array, least: number): Float64Array {
  return weights.map((weight) => (weight < least ? 0 : weight));
}

function ascending(weights: Float64Array): Float64Array {
  return weights.filter((weight) => weight > 0).sort();
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** The greatest value; NaN when any is. */
function greatest(values: Float32Array | Float64Array): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const value of values) most = Math.max(most, value);
  return most;
}
