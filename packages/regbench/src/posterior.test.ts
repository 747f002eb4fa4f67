import { describe, expect, it } from "@jest/globals";
import { Rng } from "@mm/run";
import { type Automaton, type AutomatonClass, outgoing, sampleAutomaton, step } from "./automaton.js";
import { statePath } from "./exact-answers.js";
import { posteriorAnswer, posteriorPredictor, stateAwarePredictor, stateAwareProbabilities } from "./posterior.js";
import { oracle } from "./predictor.js";
import { buildProblems, problemOf, sampleString } from "./problem.js";
import { score } from "./score.js";
import { farthest } from "./testing/fixtures.js";
import { SEPARATOR, SYMBOLS } from "./vocabulary.js";

const small: AutomatonClass = { nodes: [3, 3], letters: 4, alphabet: [2, 3], degree: [1, 2] };

function subsets(items: readonly number[], size: number): number[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, at) => subsets(items.slice(at + 1), size - 1).map((rest) => [item, ...rest]));
}

function arrangements(items: readonly number[], size: number): number[][] {
  if (size === 0) return [[]];
  return items.flatMap((item) =>
    arrangements(
      items.filter((other) => other !== item),
      size - 1,
    ).map((rest) => [item, ...rest]),
  );
}

const range = (low: number, high: number) => Array.from({ length: high - low + 1 }, (_, index) => low + index);

interface Weighted {
  readonly automaton: Automaton;
  readonly probability: number;
}

/** Every automaton of a class, with the probability that the sampler draws it. */
function enumerate({ nodes, letters, alphabet, degree }: AutomatonClass): Weighted[] {
  const all: Weighted[] = [];
  for (const states of range(...nodes)) {
    for (const size of range(...alphabet)) {
      const alphabets = subsets(range(1, letters), size);
      for (const chosen of alphabets) {
        let partial: { edges: [number, number][][]; probability: number }[] = [{ edges: [], probability: 1 }];
        for (let state = 0; state < states; state++) {
          const others = range(0, states - 1).filter((other) => other !== state);
          const nodeChoices = range(...degree).flatMap((k) => {
            const choices = subsets(chosen, k).flatMap((symbols) =>
              arrangements(others, k).map((targets) =>
                symbols.map((symbol, at): [number, number] => [symbol, targets[at]!]),
              ),
            );
            return choices.map((edges) => ({ edges, probability: 1 / choices.length / range(...degree).length }));
          });
          partial = partial.flatMap((before) =>
            nodeChoices.map((choice) => ({
              edges: [...before.edges, choice.edges],
              probability: before.probability * choice.probability,
            })),
          );
        }
        for (const { edges, probability } of partial) {
          const transitions = new Int32Array(states * SYMBOLS).fill(-1);
          for (const [state, out] of edges.entries()) {
            for (const [symbol, target] of out) transitions[state * SYMBOLS + symbol] = target;
          }
          all.push({
            automaton: { states, initial: 0, transitions },
            probability: probability / alphabets.length / range(...alphabet).length / range(...nodes).length,
          });
        }
      }
    }
  }
  return all;
}

/** Bayes' rule as it is written: every automaton of the class, its prior, the likelihood of the text. */
function enumeratedAnswer(tokens: Int32Array, everything: readonly Weighted[], told?: Int32Array): Float64Array {
  const rows = new Float64Array(tokens.length * SYMBOLS);
  const sums = new Float64Array(tokens.length);
  for (const { automaton, probability } of everything) {
    let weight = probability;
    let state = automaton.initial;
    for (let at = 0; at < tokens.length; at++) {
      const next = tokens[at] === SEPARATOR ? automaton.initial : step(automaton, state, tokens[at]!);
      if (next < 0 || (told && next !== told[at])) break;
      if (tokens[at] !== SEPARATOR) weight /= outgoing(automaton, state).length;
      state = next;
      const allowed = outgoing(automaton, state);
      for (const symbol of allowed) rows[at * SYMBOLS + symbol]! += weight / allowed.length;
      sums[at]! += weight;
    }
  }
  return rows.map((weight, at) => weight / sums[Math.floor(at / SYMBOLS)]!);
}

describe("the Bayes-optimal reader", () => {
  const everything = enumerate(small);
  const texts = Array.from({ length: 8 }, (_, at) => {
    const rng = Rng.fromSeed(at);
    const automaton = sampleAutomaton(rng, small);
    const text = range(1, 3).flatMap(() => [...sampleString(automaton, rng.integer(1, 9), rng), SEPARATOR]);
    return { automaton, tokens: Int32Array.from(text) };
  });

  it("is compared with an enumeration whose probabilities sum to one", () => {
    expect(everything.length).toBe(6 * 6 ** 3 + 4 * 12 ** 3);
    expect(everything.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 10);
  });

  it("equals Bayes' rule over all automata of a small class", () => {
    for (const { tokens } of texts) {
      const answer = posteriorAnswer(tokens, { class: small, hypotheses: 1e6, negligible: 0 });
      expect(answer.exact).toBe(true);
      expect(farthest(answer.rows, enumeratedAnswer(tokens, everything))).toBeLessThan(1e-10);
    }
  });

  it("equals it when the number of nodes is unknown too", () => {
    const cycles: AutomatonClass = { nodes: [3, 4], letters: 4, alphabet: [2, 3], degree: [1, 1] };
    const text = Int32Array.from([1, 2, 3, 1, 2, SEPARATOR, 1, 2, 3, 1, 2, 3, 1]);
    const answer = posteriorAnswer(text, { class: cycles, hypotheses: 1e6, negligible: 0 });
    expect(farthest(answer.rows, enumeratedAnswer(text, enumerate(cycles)))).toBeLessThan(1e-10);
  });

  it("equals Bayes' rule also when told the states", () => {
    for (const { tokens, automaton } of texts) {
      const told = statePath(tokens, automaton);
      const rows = stateAwareProbabilities(tokens, told, small);
      expect(farthest(rows, enumeratedAnswer(tokens, everything, told))).toBeLessThan(1e-10);
    }
  });

  it("gives rows that sum to one and never leave the letters", () => {
    const { test } = buildProblems({ environments: 0, seed: 2, valid: 0, test: 1 });
    const { rows } = posteriorAnswer(test[0]!.input, { hypotheses: 200 });
    for (let at = 0; at < rows.length; at += SYMBOLS) {
      expect(rows.subarray(at, at + SYMBOLS).reduce((sum, probability) => sum + probability, 0)).toBeCloseTo(1, 8);
      expect([rows[at], rows[at + SEPARATOR]]).toEqual([0, 0]);
    }
  });

  it("lies between the oracle and an honest reader: told more, it loses less", async () => {
    const { test } = buildProblems({ environments: 0, seed: 0, valid: 0, test: 4 });
    const loss = async (predictor: Parameters<typeof score>[0]) => (await score(predictor, test)).pooled.loss;
    const [known, told, posterior] = await Promise.all([
      loss(oracle(test)),
      loss(stateAwarePredictor(test)),
      loss(posteriorPredictor({ hypotheses: 100 })),
    ]);
    expect(known).toBeLessThan(told!);
    expect(told).toBeLessThan(posterior!);
  });

  it("refuses letters outside the class", () =>
    expect(() => posteriorAnswer(Int32Array.of(5), { class: small })).toThrow("no letter of the class"));

  it("knows the problem it is told about", () => {
    const problem = problemOf("unknown", texts[0]!.automaton, texts[0]!.tokens);
    expect(() => stateAwarePredictor([])([problem.input])).toThrow("unknown problem");
  });
});
