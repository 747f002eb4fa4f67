import { describe, expect, it } from "@jest/globals";
import { automatonFromEdges } from "./automaton.js";
import { ngramPredictor } from "./ngram.js";
import { oracle, type Predictor, probabilityPredictor, toProbabilities, uniformPredictor } from "./predictor.js";
import { buildProblems, problemOf } from "./problem.js";
import { score, scoreRows, stringsSeen } from "./score.js";
import { encode, SYMBOLS } from "./vocabulary.js";

const { test } = buildProblems({ environments: 0, seed: 0, valid: 0, test: 50 });

/** Rows of log probabilities of "next symbol = f(token)" with 0.7, the others sharing 0.3. */
const guesser =
  (next: (token: number) => number): Predictor =>
  (sequences) =>
    sequences.map((tokens) =>
      Float32Array.from({ length: tokens.length * SYMBOLS }, (_, at) =>
        Math.log(at % SYMBOLS === next(tokens[Math.floor(at / SYMBOLS)]!) ? 0.7 : 0.3 / (SYMBOLS - 1)),
      ),
    );

describe("score", () => {
  it("gives the oracle accuracy 1 and distance 0", async () => {
    const { pooled, perBatch, byPosition, byStringsSeen } = await score(oracle(test), test);
    for (const { dfaAccuracy, dfaAccuracyAtAllPositions, totalVariation, l1Distance } of [pooled, perBatch]) {
      expect([dfaAccuracy, dfaAccuracyAtAllPositions, totalVariation, l1Distance]).toEqual([1, 1, 0, 0]);
    }
    for (const group of [...byPosition, ...byStringsSeen]) expect(group.totalVariation).toBe(0);
  });

  it("gives the uniform predictor the distance 1 − k/18 for k allowed letters", async () => {
    // One state, one letter: the uniform guess puts 17/18 elsewhere. Its first best symbol is "a".
    const problem = problemOf("aaa", automatonFromEdges([{ a: 0 }]), encode("aaa|aa"));
    const { pooled } = await score(uniformPredictor, [problem]);
    expect(pooled.totalVariation).toBeCloseTo(17 / 18, 12);
    expect(pooled.l1Distance).toBeCloseTo(34 / 18, 12);
    expect(pooled.dfaAccuracy).toBe(1);
    expect(pooled.loss).toBeCloseTo(-Math.log(1 / 18 + 1e-5), 12);
  });

  it("counts label positions for accuracy and all positions for distance, by hand", async () => {
    // b a | a c    after b: a or b allowed; after a: c; after |: a or b; after a: c. The label before "|" is ignored.
    const problem = problemOf("hand", automatonFromEdges([{ a: 1, b: 0 }, { c: 0 }]), encode("ba|ac"));
    const { pooled, labels, positions } = await score(
      guesser((token) => (token === 1 ? 2 : 1)),
      [problem],
    );
    expect([labels, positions]).toEqual([3, 4]);
    expect(pooled.dfaAccuracy).toBeCloseTo(2 / 3, 12);
    expect(pooled.dfaAccuracyAtAllPositions).toBeCloseTo(2 / 4, 12);
    // Right letter of two: ½(.2 + (.5 − .3/19) + 18·.3/19) = .484; wrong letter of one: .7 + 18·.3/19 = .984.
    const right = 0.5 * (0.2 + (0.5 - 0.3 / 19) + (18 * 0.3) / 19);
    const wrong = 0.5 * (0.7 + (1 - 0.3 / 19) + (18 * 0.3) / 19);
    expect(pooled.totalVariation).toBeCloseTo((2 * right + 2 * wrong) / 4, 7);
    expect(pooled.totalVariationAtLabels).toBeCloseTo((2 * right + wrong) / 3, 7);
    expect(pooled.loss).toBeCloseTo((-Math.log(0.7) - Math.log(0.7) - Math.log(0.3 / 19)) / 3, 6);
  });

  it("averages batches by their sizes where the published trainer does", async () => {
    const one = problemOf("long", automatonFromEdges([{ a: 0 }]), encode("aaaaaaaaa"));
    const two = problemOf("short", automatonFromEdges([{ b: 0 }]), encode("bbb"));
    const always = guesser(() => 1);
    const { pooled, perBatch } = await score(always, [one, two], { batch: 1 });
    expect(pooled.dfaAccuracy).toBe(8 / 10);
    expect(perBatch.dfaAccuracy).toBe(1 / 2);
    expect((await score(always, [one, two], { batch: 2 })).perBatch).toEqual(pooled);
  });

  it("splits the same positions by place and by strings seen", async () => {
    const result = await score(uniformPredictor, test);
    for (const groups of [result.byPosition, result.byStringsSeen]) {
      expect(groups.reduce((sum, { positions }) => sum + positions, 0)).toBe(result.positions);
      expect(groups.reduce((sum, { labels }) => sum + labels, 0)).toBe(result.labels);
      const mean = groups.reduce((sum, group) => sum + group.positions * group.totalVariation, 0) / result.positions;
      expect(mean).toBeCloseTo(result.pooled.totalVariation, 12);
    }
  });

  it("counts a string as seen from its separator on", () =>
    expect(Array.from(stringsSeen(encode("ab|c|")))).toEqual([0, 0, 1, 1, 2]));

  it("finds that a 3-gram agrees with itself and less with a 2-gram", async () => {
    const { ngrams } = await score(ngramPredictor(3), test, { ngrams: [3, 2] });
    expect(ngrams[0]).toMatchObject({ order: 3, totalVariation: 0, sameBest: 1 });
    expect(ngrams[1]!.totalVariation).toBeGreaterThan(0.1);
    expect(ngrams[1]!.sameBest).toBeLessThan(0.95);
  });

  it("takes logits in float32 and float64, shifted by any constant", () => {
    const logits = Float64Array.from({ length: SYMBOLS }, (_, at) => Math.sin(at));
    const shifted = toProbabilities(logits.map((logit) => logit + 800));
    for (const [at, probability] of toProbabilities(logits).entries()) expect(shifted[at]).toBeCloseTo(probability, 12);
  });

  it("says what is wrong with an answer of another size", async () => {
    await expect(
      score(
        probabilityPredictor(() => new Float64Array(20)),
        test,
      ),
    ).rejects.toThrow("positions × 20 symbols");
    await expect(score(() => [], test)).rejects.toThrow("answered 0 of 32");
  });
});

describe("scoreRows", () => {
  it("tells averages, positions, strings and n-gram orders apart by tags", async () => {
    const rows = scoreRows(await score(oracle(test), test, { ngrams: [3] }));
    expect(rows).toContainEqual({ split: "test", metric: "dfaAccuracy", value: 1, tags: { average: "batch" } });
    expect(rows).toContainEqual({ split: "test", metric: "totalVariation", value: 0, tags: { average: "pooled" } });
    expect(rows.some(({ metric, tags }) => metric === "totalVariationByStringsSeen" && tags.strings === 9)).toBe(true);
    expect(rows.some(({ metric, tags }) => metric === "ngramTotalVariation" && tags.order === 3)).toBe(true);
    for (const { value } of rows) expect(Number.isFinite(value)).toBe(true);
  });
});
