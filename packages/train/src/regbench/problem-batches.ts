/** Sequences of different lengths as batches, each no longer than its longest sequence, with little padding. */
import type { Rng } from "@mm/run";
import type { TrainingBatch } from "../passes/one-pass.js";

/** A token sequence and what to predict after each of its tokens. */
export interface Sequence {
  readonly tokens: Int32Array;
  /** As long as `tokens`; −1 where nothing is to be predicted. */
  readonly targets: Int32Array;
}

/** Padding stands to the right, where causal models never look back from, and its targets are ignored. */
const PADDING_TOKEN = 0;
const IGNORED = -1;

/** @returns [sequences, longest], padded on the right */
export function padSequences(sequences: readonly Sequence[]): TrainingBatch {
  const length = Math.max(...sequences.map(({ tokens }) => tokens.length));
  const tokens = new Int32Array(sequences.length * length).fill(PADDING_TOKEN);
  const targets = new Int32Array(sequences.length * length).fill(IGNORED);
  for (const [row, sequence] of sequences.entries()) {
    tokens.set(sequence.tokens, row * length);
    targets.set(sequence.targets, row * length);
  }
  return { tokens, targets, length };
}

/**
 * Splits sequences into groups of about equal length, so that little is padded: indices, longest first, at most `rows`
 * to a group. RegBench's texts have 10 to 949 tokens; one batch of 32 padded to its longest is half padding.
 */
export function groupByLength(sequences: readonly Sequence[], rows: number): number[][] {
  const order = sequences
    .map((_, index) => index)
    .sort((a, b) => sequences[b]!.tokens.length - sequences[a]!.tokens.length || a - b);
  return Array.from({ length: Math.ceil(order.length / rows) }, (_, group) =>
    order.slice(group * rows, (group + 1) * rows),
  );
}

/**
 * The sequences of an iteration: each epoch visits every sequence once, in an order drawn from `rng.fork(epoch)`; the
 * last batch of an epoch may be smaller.
 */
export function shuffledSequences(
  sequences: readonly Sequence[],
  batch: number,
  iteration: number,
  rng: Rng,
): Sequence[] {
  const perEpoch = Math.ceil(sequences.length / batch);
  const order = rng.fork(Math.floor(iteration / perEpoch)).shuffle(sequences);
  const first = (iteration % perEpoch) * batch;
  return order.slice(first, first + batch);
}
