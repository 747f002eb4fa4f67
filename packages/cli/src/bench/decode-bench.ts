/** Times single tokens of incremental decoding, and the same token by computing the whole text again. */
import type { Decoder, LanguageModel } from "@mm/models";
import * as tf from "@tensorflow/tfjs";
import { median } from "./statistics.js";

/** Tokens before the first that counts. */
const WARM_UP = 16;

export interface TokenTimes {
  /** Of one pass, in milliseconds: reading a token of each text, and choosing the next. */
  medianMilliseconds: number;
  fastestMilliseconds: number;
  /** Of all texts together. */
  tokensPerSecond: number;
}

/**
 * Continues texts by their most probable tokens.
 *
 * @param from tokens that each text has before the first that counts; they are read at once
 * @param count tokens that count
 * @param texts written side by side
 */
export async function measureTokens(decoder: Decoder, from: number, count: number, texts = 1): Promise<TokenTimes> {
  const states = Array.from({ length: texts }, () => decoder.begin());
  let tokens = states.map((_, text) => (text + 1) % decoder.vocabulary);
  const pass = async (pieces: readonly number[][]) => {
    const begin = performance.now();
    const logits = decoder.read(states.map((state, text) => ({ state, tokens: pieces[text]! })));
    const values = (await logits.data()) as Float32Array;
    logits.dispose();
    tokens = states.map((_, text) =>
      mostProbable(values.subarray(text * decoder.vocabulary, (text + 1) * decoder.vocabulary)),
    );
    return performance.now() - begin;
  };
  if (from > 0)
    await pass(tokens.map((first) => Array.from({ length: from }, (_, i) => (first + 7 * i) % decoder.vocabulary)));
  const times: number[] = [];
  while (times.length < count) times.push(await pass(tokens.map((token) => [token])));
  for (const state of states) state.dispose();
  const counted = times.slice(Math.min(WARM_UP, count >> 1));
  const medianMilliseconds = median(counted);
  return {
    medianMilliseconds,
    fastestMilliseconds: Math.min(...counted),
    tokensPerSecond: (1000 * texts) / medianMilliseconds,
  };
}

/** Milliseconds to read every weight of a model once, in fp32: what the memory's bandwidth alone costs a token. */
export function measureReading(model: LanguageModel): number {
  const read = () => {
    const begin = performance.now();
    tf.tidy(() => {
      for (const weights of Object.values(model.variables())) tf.sum(weights).dataSync();
    });
    return performance.now() - begin;
  };
  return median(Array.from({ length: 9 }, read));
}

function mostProbable(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}
