import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { ngramPredictor, ngramProbabilities } from "./ngram.js";
import { buildProblems } from "./problem.js";
import { score } from "./score.js";
import { farthest } from "./testing/fixtures.js";
import { ngramRow } from "./testing/ngram-definition.js";
import { encode, SYMBOLS } from "./vocabulary.js";

describe("ngramProbabilities", () => {
  it("answers a short text as counted by hand", () => {
    // "_aab": after a came a once, b once, and the context has three occurrences in "_aab|_a": ⅓, ⅓, rest to none.
    const rows = ngramProbabilities(encode("aab|a"), 2);
    expect(rows.subarray(4 * SYMBOLS, 4 * SYMBOLS + 4)).toEqual(Float64Array.of(0, 1 / 3, 1 / 3, 0));
  });
  it("equals the definition on any text, for orders 1 to 4", () => {
    const strings = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c", "r"), maxLength: 6 }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(strings, fc.integer({ min: 1, max: 4 }), (texts, order) => {
        const text = texts.join("|").replace(/^\|+/, "");
        const tokens = encode(text);
        const rows = ngramProbabilities(tokens, order);
        for (let end = 1; end <= tokens.length; end++) {
          const expected = ngramRow(tokens.slice(0, end), order);
          expect(farthest(rows.subarray((end - 1) * SYMBOLS, end * SYMBOLS), expected)).toBeLessThan(1e-12);
        }
      }),
      { numRuns: 60 },
    );
  });
  it("refuses order 0", () => expect(() => ngramProbabilities(encode("a"), 0)).toThrow("positive order"));
  it("gives reference lines near the published ones: .937 and .265 for 3-grams, .834 and .337 for 2-grams", async () => {
    const { test } = buildProblems({ environments: 0, seed: 0 });
    const trigram = (await score(ngramPredictor(3), test)).pooled;
    const bigram = (await score(ngramPredictor(2), test)).pooled;
    expect(trigram.dfaAccuracyAtAllPositions).toBeCloseTo(0.937, 1.9);
    expect(trigram.totalVariation).toBeCloseTo(0.265, 1.5);
    expect(bigram.dfaAccuracyAtAllPositions).toBeCloseTo(0.834, 1.5);
    expect(bigram.totalVariation).toBeCloseTo(0.337, 1.5);
  });
});
