import { beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import type { LanguageModel } from "../model.js";
import { smallModel } from "../testing/small-models.js";
import { beamSearch } from "./beam-search.js";
import { logProbability } from "./log-probabilities.js";
import { createDecoder } from "./registry.js";

beforeAll(async () => {
  await selectBackend("wasm");
});

const PROMPT = [1, 2];

/** Σ log p of the tokens after the prompt, by the model itself. */
function score(model: LanguageModel, tokens: readonly number[]): number {
  return tf.tidy(() => {
    const text = [...PROMPT, ...tokens];
    const logits = tf.squeeze(model.logits(tf.tensor2d(text, [1, text.length], "int32"))) as tf.Tensor2D;
    const rows = logits.arraySync();
    return tokens.reduce(
      (sum, token, i) => sum + logProbability(Float32Array.from(rows[PROMPT.length - 1 + i]!), token),
      0,
    );
  });
}

describe("beam search", () => {
  it("finds the most probable texts of all when no beam is dropped", async () => {
    const model = smallModel("memory-mosaic");
    const decoder = createDecoder(model);
    const before = tf.memory().numTensors;
    const found = await beamSearch(decoder, PROMPT, { beams: 11 * 11, count: 2 });
    const all = Array.from({ length: 11 * 11 }, (_, i) => [Math.floor(i / 11), i % 11]);
    const expected = all.map((tokens) => score(model, tokens)).sort((a, b) => b - a);
    expect(found).toHaveLength(121);
    for (const [i, beam] of found.entries()) {
      expect(beam.logProbability).toBeCloseTo(expected[i]!, 4);
      if (i < 3) expect(beam.logProbability).toBeCloseTo(score(model, beam.tokens), 4);
    }
    expect(tf.memory().numTensors).toBe(before);
    decoder.dispose();
    model.dispose();
  });

  it("with one beam is greedy", async () => {
    const model = smallModel("gpt2");
    const decoder = createDecoder(model);
    const [beam] = await beamSearch(decoder, PROMPT, { beams: 1, count: 15 });
    const text = [...PROMPT];
    for (let i = 0; i < 15; i++) {
      const window = text.slice(-12);
      const logits = tf.tidy(() => model.nextLogits(tf.tensor2d(window, [1, window.length], "int32")).dataSync());
      text.push(logits.indexOf(Math.max(...logits)));
    }
    expect(beam!.tokens).toEqual(text.slice(PROMPT.length));
    decoder.dispose();
    model.dispose();
  });

  it("ends a text at the end-of-text token", async () => {
    const model = smallModel("memory-mosaic");
    const decoder = createDecoder(model);
    const beams = await beamSearch(decoder, PROMPT, { beams: 4, count: 4, endOfText: 3, lengthPenalty: 0 });
    expect(beams).toHaveLength(4);
    for (const { tokens, ended } of beams) {
      expect(tokens.slice(0, -1)).not.toContain(3);
      expect(ended).toBe(tokens.at(-1) === 3);
    }
    expect(beams.some(({ ended }) => ended)).toBe(true);
    decoder.dispose();
    model.dispose();
  });
});
