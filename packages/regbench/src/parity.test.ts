import { describe, expect, it } from "@jest/globals";
import { automatonFromEdges, edgesOf } from "./automaton.js";
import { dfaProbabilities } from "./exact-answers.js";
import { canonicalForm, minimise } from "./minimise.js";
import { ngramPredictor, ngramProbabilities } from "./ngram.js";
import { toProbabilities } from "./predictor.js";
import { score } from "./score.js";
import { argmax, l1ByPosition, PROBABILITY_FLOOR, positionScores, ScoreSums } from "./scores.js";
import { automatonOf, farthest, problemOfCase, published, tensor } from "./testing/fixtures.js";
import { decode, IGNORED, SYMBOLS, symbols } from "./vocabulary.js";

const cases = published.dfas.map((example, at) => ({
  example,
  problem: problemOfCase(example),
  logits: Float32Array.from(tensor(`case${at}/model_logits`).values),
  stored: (name: string) => tensor(`case${at}/${name}`).values,
}));

/** Float32 rounding of a stored probability. */
const rounding = 1e-7;

describe("agreement with RegBench's published code", () => {
  it("has the same vocabulary", () => expect(symbols).toEqual(published.vocab));

  describe.each(cases)("on $example.name", ({ example, problem, logits, stored }) => {
    it("finds the minimal automaton up to the names of states", () => {
      expect(edgesOf(canonicalForm(automatonOf(example)))).toEqual(example.canonical_bfs);
      expect(edgesOf(minimise(automatonOf(example.raw ?? example)))).toEqual(example.canonical_bfs);
      expect(edgesOf(automatonFromEdges(example.canonical_bfs))).toEqual(example.canonical_bfs);
    });

    it("reads the same inputs and labels", () => {
      expect(decode(problem.input)).toBe(example.input);
      expect(Array.from(problem.input)).toEqual(Array.from(stored("input_ids")));
      expect(Array.from(problem.labels)).toEqual(Array.from(stored("labels"), (id) => (id === -100 ? IGNORED : id)));
    });

    it("knows the exact next-symbol distributions", () =>
      expect(farthest(dfaProbabilities(problem.input, problem.automaton), stored("dfa_probs"))).toBeLessThan(rounding));

    it.each([
      [1, "unigram_intended"],
      [2, "ngram2"],
      [3, "ngram3"],
      [4, "ngram4"],
    ])("counts the same %d-grams", (order, name) =>
      expect(farthest(ngramProbabilities(problem.input, order), stored(name))).toBeLessThan(rounding),
    );

    it("scores a model alike", () => {
      const scores = positionScores(toProbabilities(logits), problem);
      const mean = new ScoreSums().add(scores).scores();
      expect(mean.dfaAccuracy).toBeCloseTo(example.metrics.dfa_accuracy, 12);
      expect(mean.l1Distance).toBeCloseTo(example.metrics.model_dfa_diff, 7);
      expect(mean.totalVariation).toBeCloseTo(example.tvd.mean_half_l1_all_positions, 7);
      expect(mean.totalVariationAtLabels).toBeCloseTo(example.tvd.mean_half_l1_label_positions, 7);
      expect(mean.loss).toBeCloseTo(example.metrics.loss, 6);
      const marks = Array.from(scores.allowed).filter((_, at) => scores.labelled[at] === 1);
      expect(marks.length).toBe(example.metrics.dfa_accuracy_counted_positions);
      expect(marks.join("")).toBe(example.metrics.char_labels[0]);
    });

    it("compares with 3-grams alike", () => {
      const exact = dfaProbabilities(problem.input, problem.automaton);
      const ngram = ngramProbabilities(problem.input, 3);
      const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(mean(l1ByPosition(toProbabilities(logits), ngram))).toBeCloseTo(example.metrics.model_ngram_diff, 7);
      expect(mean(l1ByPosition(exact, ngram))).toBeCloseTo(example.metrics.dfa_ngram_diff, 9);

      const scores = positionScores(ngram, problem, { floor: PROBABILITY_FLOOR, tolerance: 1e-9 });
      const { loss, dfaAccuracy } = new ScoreSums().add(scores).scores();
      expect(loss).toBeCloseTo(example.metrics.n_gram_loss, 9);
      expect(dfaAccuracy).toBeCloseTo(example.metrics.n_gram_dfa_acc_exact_ties_to_smallest_id, 12);
      // The reference breaks ties by rounding noise, so its own value is known only up to the choice among them.
      const [low, high] = example.metrics.n_gram_dfa_acc_bounds_over_ties;
      const choices = Array.from(scores.labelled).flatMap((labelled, at) => {
        if (!labelled) return [];
        const most = ngram[at * SYMBOLS + argmax(ngram, at)]!;
        return [
          symbols.flatMap((_, id) => (ngram[at * SYMBOLS + id]! >= most - 1e-9 ? [exact[at * SYMBOLS + id]! > 0] : [])),
        ];
      });
      expect(choices.filter((tied) => tied.every((allowed) => allowed)).length / choices.length).toBeCloseTo(low, 12);
      expect(choices.filter((tied) => tied.some((allowed) => allowed)).length / choices.length).toBeCloseTo(high, 12);
    });
  });

  it("pools a batch over its positions, beside 3-grams too", async () => {
    const logits = new Map(cases.map((one) => [one.problem.input, one.logits]));
    const predictor = (sequences: Int32Array[]) => sequences.map((tokens) => logits.get(tokens)!);
    const problems = cases.map(({ problem }) => problem);
    const { pooled, perBatch, ngrams } = await score(predictor, problems, { ngrams: [3] });
    const expected = published.batch_of_all_cases;
    expect(perBatch.loss).toBeCloseTo(pooled.loss, 12);
    expect(pooled.dfaAccuracy).toBeCloseTo(expected.dfa_accuracy, 12);
    expect(pooled.l1Distance).toBeCloseTo(expected.model_dfa_diff, 7);
    expect(pooled.loss).toBeCloseTo(expected.loss, 6);
    expect(2 * ngrams[0]!.totalVariation).toBeCloseTo(expected.model_ngram_diff, 7);
    expect(2 * ngrams[0]!.ngramTotalVariation).toBeCloseTo(expected.dfa_ngram_diff, 9);
    expect((await score(ngramPredictor(3), problems)).pooled.loss).toBeCloseTo(expected.n_gram_loss, 9);
  });

  it.each(published.ngram_small)("answers $input with $N-grams letter by letter", ({ input, N, rows }) => {
    const tokens = Int32Array.from(input, (symbol) => symbols.indexOf(symbol));
    const expected = rows.flatMap((row) => symbols.map((symbol) => row[symbol] ?? 0));
    expect(farthest(ngramProbabilities(tokens, N), expected)).toBeLessThan(1e-14);
  });
});
