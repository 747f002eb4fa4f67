/**
 * Loss without dropout over windows that are the same every time: of all consecutive, non-overlapping windows of a
 * split, some that are spread evenly over it.
 */
import { setImmediate } from "node:timers/promises";
import { consecutiveBatch, consecutiveWindows, type TokenStream } from "@mm/data";
import type { LanguageModel } from "@mm/models";
import { UserError } from "@mm/run";
import { type TrainingBatch, tokenLosses } from "./passes/one-pass.js";

export interface EvaluationWindows {
  /** How many; all of them where the split has fewer. */
  windows: number;
  /** Windows at a time. */
  batch: number;
  /** Tokens per window. */
  contextLength: number;
}

export interface Evaluation {
  /** Mean over the positions that the model is trained on, in nats. */
  loss: number;
  /** Mean at each position of the window, in nats (Fig. 8 of the paper). */
  byPosition: Float64Array;
  /** Standard error of each of these means over the windows; NaN for a single window. */
  byPositionStandardError: Float64Array;
  windows: number;
}

/** @throws UserError when the stream is too short for one window */
export async function evaluate(
  model: LanguageModel,
  stream: TokenStream,
  { windows, batch, contextLength }: EvaluationWindows,
): Promise<Evaluation> {
  const starts = spread(consecutiveWindows(stream, contextLength), windows);
  if (starts.length === 0) {
    throw new UserError(`Expected more than ${contextLength} tokens to evaluate on but found ${stream.length}.`, {
      hint: "Build a larger dataset, or choose a shorter context length.",
    });
  }
  const byPosition = new Float64Array(contextLength);
  const squares = new Float64Array(contextLength);
  for (let at = 0; at < starts.length; at += batch) {
    const losses = await tokenLosses(model, gather(stream, starts.slice(at, at + batch), contextLength));
    for (const [index, loss] of losses.entries()) {
      byPosition[index % contextLength]! += loss / starts.length;
      squares[index % contextLength]! += loss ** 2 / starts.length;
    }
    await setImmediate();
  }
  const trained = byPosition.subarray(skippedPositions(model));
  const freedom = starts.length > 1 ? starts.length - 1 : Number.NaN;
  const byPositionStandardError = squares.map((square, position) => {
    return Math.sqrt(Math.max(0, square - byPosition[position]! ** 2) / freedom);
  });
  const loss = trained.reduce((sum, value) => sum + value, 0) / trained.length;
  return { loss, byPosition, byPositionStandardError, windows: starts.length };
}

/** Mean loss at each position of the window, in nats: Fig. 8 of the paper. */
export async function positionLoss(
  model: LanguageModel,
  stream: TokenStream,
  windows: EvaluationWindows,
): Promise<Float64Array> {
  return (await evaluate(model, stream, windows)).byPosition;
}

/** `count` of the numbers 0 … total − 1, evenly spaced; all of them when there are fewer. */
function spread(total: number, count: number): number[] {
  if (count >= total) return Array.from({ length: total }, (_, index) => index);
  return Array.from({ length: count }, (_, index) => Math.floor((index * total) / count));
}

function gather(stream: TokenStream, windows: number[], length: number): TrainingBatch {
  const tokens = new Int32Array(windows.length * length);
  const targets = new Int32Array(windows.length * length);
  for (const [row, window] of windows.entries()) {
    const one = consecutiveBatch(stream, { batch: 1, contextLength: length }, window);
    tokens.set(one.tokens, row * length);
    targets.set(one.targets, row * length);
  }
  return { tokens, targets, length };
}

/** The first positions, which a Memory Mosaic with `skipTokens` is not trained on. */
function skippedPositions({ config }: LanguageModel): number {
  return "skipTokens" in config ? (config.skipTokens as number) : 0;
}
