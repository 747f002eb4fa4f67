/**
 * Beam search: of all ways to continue the best texts by one token, the most probable ones are kept,
 *
 *   score = Σ log p(token) / lengthⁿ,   n the length penalty (0 prefers short texts that end, 1 the mean).
 */
import type * as tf from "@tensorflow/tfjs";
import type { Decoder } from "./decoder.js";
import { mostProbable } from "./log-probabilities.js";
import { GrowingText, type Overflow, readOn } from "./text.js";

export interface BeamSettings {
  /** Texts kept at a time, and given back. */
  beams: number;
  /** Most tokens to add. */
  count: number;
  /** Token that ends a text; it is part of the result. */
  endOfText?: number | undefined;
  lengthPenalty?: number;
  overflow?: Overflow;
  /** Ids below this are chosen; default all. */
  vocabulary?: number;
}

export interface Beam {
  /** The tokens added. */
  tokens: number[];
  /** Σ log p of these tokens. */
  logProbability: number;
  score: number;
  /** Whether it ended by itself. */
  ended: boolean;
}

interface OpenBeam {
  text: GrowingText;
  tokens: number[];
  logProbability: number;
}

/** @returns the `beams` best texts, best first (fewer where the vocabulary has no more) */
export async function beamSearch(decoder: Decoder, prompt: readonly number[], settings: BeamSettings): Promise<Beam[]> {
  const { beams, count, endOfText, lengthPenalty = 1, overflow = "crop", vocabulary = decoder.vocabulary } = settings;
  const finish = ({ tokens, logProbability }: Omit<OpenBeam, "text">, ended: boolean): Beam => ({
    tokens,
    logProbability,
    score: logProbability / Math.max(1, tokens.length) ** lengthPenalty,
    ended,
  });
  const finished: Beam[] = [];
  let open: OpenBeam[] = [{ text: new GrowingText(decoder, prompt, overflow), tokens: [], logProbability: 0 }];
  try {
    for (let step = 0; step < count && open.length > 0; step++) {
      const candidates = await continuations(decoder, open, beams + 1, vocabulary);
      const next: OpenBeam[] = [];
      for (const { from, token, logProbability } of candidates) {
        if (next.length === beams) break;
        const tokens = [...from.tokens, token];
        if (token === endOfText) {
          finished.push(finish({ tokens, logProbability }, true));
          continue;
        }
        const text = from.text.fork();
        text.tokens.push(token);
        next.push({ text, tokens, logProbability });
      }
      for (const { text } of open) text.dispose();
      open = next;
      finished.sort(byScore);
      if (finished.length >= beams && open.every((beam) => finish(beam, false).score <= finished[beams - 1]!.score))
        break;
    }
    return [...finished, ...open.map((beam) => finish(beam, false))].sort(byScore).slice(0, beams);
  } finally {
    for (const { text } of open) text.dispose();
  }
}

const byScore = (a: Beam, b: Beam) => b.score - a.score;

/** The best ways to add one token to any of the texts, best first; `each` of each text are enough. */
async function continuations(decoder: Decoder, open: OpenBeam[], each: number, vocabulary: number) {
  const logits: tf.Tensor2D = readOn(
    decoder,
    open.map(({ text }) => text),
  );
  const values = (await logits.data()) as Float32Array;
  logits.dispose();
  const all = open.flatMap((from, row) =>
    mostProbable(values.subarray(row * decoder.vocabulary, (row + 1) * decoder.vocabulary), each, vocabulary).map(
      ({ token, logProbability }) => ({ from, token, logProbability: from.logProbability + logProbability }),
    ),
  );
  return all.sort((a, b) => b.logProbability - a.logProbability);
}
