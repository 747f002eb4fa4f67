import { describe, expect, it } from "@jest/globals";
import { Rng } from "@mm/run";
import { automatonFromEdges } from "./automaton.js";
import { dfaProbabilities, statePath } from "./exact-answers.js";
import { buildProblems, problemOf, sampleProblem, sampleString } from "./problem.js";
import { decode, encode, IGNORED, SEPARATOR, SYMBOLS } from "./vocabulary.js";

// → (0) –a→ (1), (0) –b→ (0), (1) –c→ (0)
const automaton = automatonFromEdges([{ a: 1, b: 0 }, { c: 0 }]);

describe("a problem", () => {
  const problem = problemOf("hand", automaton, encode("bac|a"));
  it("shows all tokens but the last and asks for all but the first", () => {
    expect(decode(problem.input)).toBe("bac|");
    expect(Array.from(problem.labels)).toEqual([1, 3, IGNORED, 1]);
  });
  it("is answered exactly by the state of the automaton, which a separator resets", () => {
    expect(Array.from(statePath(problem.input, automaton))).toEqual([0, 1, 0, 0]);
    const half = [0, 0.5, 0.5, 0];
    const rows = dfaProbabilities(problem.input, automaton);
    const firstFour = Array.from({ length: 4 }, (_, at) => Array.from(rows.subarray(at * SYMBOLS, at * SYMBOLS + 4)));
    expect(firstFour).toEqual([half, [0, 0, 0, 1], half, half]);
  });
  it("refuses a text outside the language, naming the token", () =>
    expect(() => statePath(encode("bb|c"), automaton)).toThrow('token "c" at position 3'));
});

describe("sampleString", () => {
  it("walks the automaton uniformly", () => {
    const string = sampleString(automaton, 20_000, Rng.fromSeed(3));
    expect(() => statePath(Int32Array.from(string), automaton)).not.toThrow();
    // Every second visit to state 0 takes a, and each a brings one c: shares 1/3 each, standard error 0.003.
    expect(string.filter((letter) => letter === 1).length / string.length).toBeCloseTo(1 / 3, 1.5);
  });
});

describe("buildProblems", () => {
  const small = buildProblems({ environments: 3, seed: 5, valid: 2, test: 2 });
  it("gives the same problems for the same seed", () =>
    expect(buildProblems({ environments: 3, seed: 5, valid: 2, test: 2 })).toEqual(small));
  it("nests training sets and keeps validation and test problems", () => {
    const larger = buildProblems({ environments: 6, seed: 5, valid: 2, test: 2 });
    expect(larger.train.slice(0, 3)).toEqual(small.train);
    expect(larger.test).toEqual(small.test);
    expect(larger.valid).toEqual(small.valid);
  });
  it("gives other problems for another seed, split or number", () => {
    const other = buildProblems({ environments: 3, seed: 6, valid: 0, test: 0 });
    const texts = [...small.train, ...small.valid, ...small.test, ...other.train].map(({ text }) => decode(text));
    expect(new Set(texts).size).toBe(texts.length);
  });
  it("defaults to 500 validation and 500 test problems of 10 … 19 strings of 1 … 49 letters", () => {
    const { valid, test } = buildProblems({ environments: 0, seed: 0 });
    expect([valid.length, test.length]).toEqual([500, 500]);
    for (const { text } of test) {
      const strings = decode(text).split("|");
      expect(strings.length >= 10 && strings.length <= 19).toBe(true);
      expect(strings.every((string) => string.length >= 1 && string.length <= 49)).toBe(true);
    }
  });
  it("never labels a separator", () => {
    const { labels, text } = sampleProblem("one", Rng.fromSeed(0));
    expect(labels).not.toContain(SEPARATOR);
    expect(labels.filter((label) => label === IGNORED).length).toBe(decode(text).split("|").length - 1);
  });
});
