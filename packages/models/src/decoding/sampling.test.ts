import { describe, expect, it } from "@jest/globals";
import { Rng } from "@mm/run";
import fc from "fast-check";
import { logProbability, logSumExp, mostProbable } from "./log-probabilities.js";
import { chooseToken, keepMinP, keepTopK, keepTopP, penaliseRepetition, softmaxWeights } from "./sampling.js";

describe("chooseToken", () => {
  const logits = Float32Array.from([0, 2, 1, 2, -1], (value) => value * Math.LN2); // probabilities 1 4 2 4 ½ of 11.5

  it("takes the first of the most probable tokens at temperature 0", () => {
    expect(chooseToken(logits, { temperature: 0 })).toBe(1);
  });

  it("draws with the probabilities of the softmax, and of their powers at other temperatures", () => {
    const frequencies = (temperature: number, topK?: number) => {
      const counts = Array(5).fill(0) as number[];
      const rng = Rng.fromSeed(5);
      for (let i = 0; i < 20_000; i++) counts[chooseToken(logits, { temperature, rng, ...(topK ? { topK } : {}) })]!++;
      return counts.map((count) => count / 20_000);
    };
    // Five standard errors of a frequency are at most 0.018.
    const expectNear = (actual: number[], weights: number[]) => {
      const sum = weights.reduce((a, b) => a + b);
      for (const [i, weight] of weights.entries()) expect(Math.abs(actual[i]! - weight / sum)).toBeLessThan(0.018);
    };
    expectNear(frequencies(1), [1, 4, 2, 4, 0.5]);
    expectNear(frequencies(0.5), [1, 16, 4, 16, 0.25]);
    const kept = frequencies(1, 3);
    expectNear(kept, [0, 4, 2, 4, 0]);
    expect([kept[0], kept[4]]).toEqual([0, 0]);
  });

  it("keeps ties of the k-th most probable token", () => {
    const rng = Rng.fromSeed(6);
    const drawn = new Set(Array.from({ length: 100 }, () => chooseToken(logits, { temperature: 1, topK: 1, rng })));
    expect([...drawn].sort()).toEqual([1, 3]);
  });

  it("refuses scores that are not numbers, and sampling without a stream", () => {
    expect(() => chooseToken(Float32Array.of(1, Number.NaN), { temperature: 0 })).toThrow("finite");
    expect(() => chooseToken(logits, { temperature: 1 })).toThrow("random stream");
  });
});

describe("a filter", () => {
  const weights = Float64Array.of(1, 4, 2, 4, 0.5);

  it("keeps the k greatest weights, ties included", () => {
    expect([...keepTopK(weights, 1)]).toEqual([0, 4, 0, 4, 0]);
    expect([...keepTopK(weights, 3)]).toEqual([0, 4, 2, 4, 0]);
    expect([...keepTopK(weights, 9)]).toEqual([...weights]);
  });

  it("keeps the fewest weights that reach a probability, ties included", () => {
    expect([...keepTopP(weights, 0.1)]).toEqual([0, 4, 0, 4, 0]); // 4/11.5 are enough; its equal stays
    expect([...keepTopP(weights, 0.7)]).toEqual([0, 4, 2, 4, 0]); // 8/11.5 = 0.696 are not enough
    expect([...keepTopP(weights, 0.95)]).toEqual([1, 4, 2, 4, 0]);
    expect([...keepTopP(weights, 1)]).toEqual([...weights]);
  });

  it("keeps weights of at least a share of the greatest", () => {
    expect([...keepMinP(weights, 0.5)]).toEqual([0, 4, 2, 4, 0]);
    expect([...keepMinP(weights, 1)]).toEqual([0, 4, 0, 4, 0]);
  });

  it("never loses the most probable token, nor changes a weight that it keeps", () => {
    const logits = fc.array(fc.float({ min: -30, max: 30, noNaN: true }), { minLength: 1, maxLength: 40 });
    const share = fc.double({ min: 0.001, max: 1, noNaN: true });
    fc.assert(
      fc.property(logits, fc.integer({ min: 1, max: 50 }), share, (values, k, p) => {
        const given = softmaxWeights(Float32Array.from(values), 0.7);
        const most = given.indexOf(1);
        for (const kept of [keepTopK(given, k), keepTopP(given, p), keepMinP(given, p)]) {
          expect(kept[most]).toBe(1);
          for (const [i, weight] of kept.entries()) if (weight !== 0) expect(weight).toBe(given[i]);
        }
      }),
    );
  });
});

describe("the repetition penalty", () => {
  it("divides positive logits of the text's tokens and multiplies negative ones, once each", () => {
    const scores = penaliseRepetition(Float32Array.of(2, -1, 3, 4), [0, 1, 1, 0], 2);
    expect([...scores]).toEqual([1, -2, 3, 4]);
  });

  it("changes what is chosen", () => {
    const logits = Float32Array.of(2, 1.5);
    expect(chooseToken(logits, { temperature: 0, repetitionPenalty: 2 }, [0])).toBe(1);
    expect(chooseToken(logits, { temperature: 0, repetitionPenalty: 2 }, [1])).toBe(0);
  });
});

describe("log probabilities", () => {
  const logits = Float32Array.from([1, 4, 2, 4, 0.5], Math.log);

  it("are those of the softmax", () => {
    expect(logSumExp(logits)).toBeCloseTo(Math.log(11.5), 6);
    expect(logProbability(logits, 2)).toBeCloseTo(Math.log(2 / 11.5), 6);
    expect(logSumExp(Float32Array.of(1000, 1000))).toBeCloseTo(1000 + Math.LN2, 4);
  });

  it("name the most probable tokens in order, smaller ids first among equals", () => {
    expect(mostProbable(logits, 3).map(({ token }) => token)).toEqual([1, 3, 2]);
    expect(mostProbable(logits, 9).map(({ token }) => token)).toEqual([1, 3, 2, 0, 4]);
    expect(mostProbable(logits, 0)).toEqual([]);
    expect(mostProbable(logits, 1)[0]!.logProbability).toBeCloseTo(Math.log(4 / 11.5), 6);
  });
});
