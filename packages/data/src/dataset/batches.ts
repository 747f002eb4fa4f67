/** Training batches: random windows over the stream of tokens, which cross the borders of stories. */
import { type Rng, UserError } from "@mm/run";
import type { TokenStream } from "./token-stream.js";

/** `tokens` and `targets` hold [batch, contextLength] ids, row after row; targets are the tokens one position later. */
export interface Batch {
  readonly tokens: Int32Array;
  readonly targets: Int32Array;
}

export interface BatchShape {
  readonly batch: number;
  readonly contextLength: number;
}

/**
 * `batch` windows that start anywhere with equal chance, in [0, N − T − 2) for N tokens and context length T, as in the
 * authors' training script.
 *
 * @throws UserError when the stream is too short for one window
 */
export function randomBatch(stream: TokenStream, { batch, contextLength }: BatchShape, rng: Rng): Batch {
  const starts = stream.length - contextLength - 2;
  if (starts < 1) {
    throw new UserError(`Expected at least ${contextLength + 3} tokens in this split but found ${stream.length}.`, {
      hint: "Build a larger dataset, or choose a shorter context length.",
    });
  }
  const tokens = new Int32Array(batch * contextLength);
  const targets = new Int32Array(batch * contextLength);
  for (let row = 0; row < batch; row++) {
    const start = rng.integer(0, starts);
    fillRow(stream, start, contextLength, row, tokens, targets);
  }
  return { tokens, targets };
}

/**
 * The windows that follow each other without gap or overlap, for an evaluation over a whole split: window i covers
 * [i·T, i·T + T). Tokens after the last whole window are left out.
 */
export function consecutiveWindows(stream: TokenStream, contextLength: number): number {
  return Math.max(0, Math.floor((stream.length - 1) / contextLength));
}

/** The consecutive windows `first` … `first + batch − 1`. */
export function consecutiveBatch(stream: TokenStream, { batch, contextLength }: BatchShape, first: number): Batch {
  const tokens = new Int32Array(batch * contextLength);
  const targets = new Int32Array(batch * contextLength);
  for (let row = 0; row < batch; row++) {
    fillRow(stream, (first + row) * contextLength, contextLength, row, tokens, targets);
  }
  return { tokens, targets };
}

function fillRow(
  stream: TokenStream,
  start: number,
  length: number,
  row: number,
  tokens: Int32Array,
  targets: Int32Array,
): void {
  const window = stream.slice(start, start + length + 1);
  tokens.set(window.subarray(0, length), row * length);
  targets.set(window.subarray(1), row * length);
}
