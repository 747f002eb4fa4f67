import { describe, expect, it } from "@jest/globals";
import { Rng } from "@mm/run";
import { baumWelchStep, forbiddenTransitions, initialModel, nextSymbol, reachability } from "./baum-welch.js";
import { baumWelchProbabilities, baumWelchStepScaled, nextSymbolScaled } from "./baum-welch-scaled.js";
import { farthest, published, tensor } from "./testing/fixtures.js";
import { encode, SYMBOLS } from "./vocabulary.js";

/** The reference ran in float32. */
const TOLERANCE = 1e-3;

describe.each(["no_clash", "clash"] as const)("Baum–Welch beside the published code on %s", (name) => {
  const { vocab, words, dfa_states } = published.baum_welch[name];
  const strings = words.map((word) => Array.from(word, (letter) => vocab.indexOf(letter)));
  const stored = (key: string) => tensor(`bw/${name}/${key}`).values;

  it("forbids the same transitions and allows the same hidden states at each place", () => {
    expect(Array.from(forbiddenTransitions(dfa_states))).toEqual(Array.from(tensor("bw/A_forbidden").values));
    const mask = tensor("bw/state_mask");
    expect(Array.from(reachability(dfa_states, mask.shape[1]!))).toEqual(Array.from(mask.values));
  });

  it("has the same model and predictions after 1, 4 and 10 iterations", () => {
    let model = initialModel(dfa_states, vocab.length, stored("A_uniform_draw"), stored("B_uniform_draw"));
    for (let iteration = 1; iteration <= 10; iteration++) {
      model = baumWelchStep(model, strings, "published");
      if (![1, 4, 10].includes(iteration)) continue;
      expect(farthest(model.transitions, stored(`it${iteration}/A`))).toBeLessThan(TOLERANCE);
      expect(farthest(model.emissions, stored(`it${iteration}/B`))).toBeLessThan(TOLERANCE);
      expect(farthest(model.start, stored(`it${iteration}/pi`))).toBeLessThan(TOLERANCE);
      const last = strings.at(-1)!;
      const next = last.flatMap((_, at) => Array.from(nextSymbol(model, last.slice(0, at + 1))));
      expect(farthest(next, stored(`it${iteration}/next`))).toBeLessThan(TOLERANCE);
    }
  });

  it(`counts ${name === "clash" ? "otherwise" : "alike"} when symbols at one place are all counted`, () => {
    const model = initialModel(dfa_states, vocab.length, stored("A_uniform_draw"), stored("B_uniform_draw"));
    const difference = farthest(
      baumWelchStep(model, strings, "correct").emissions,
      baumWelchStep(model, strings, "published").emissions,
    );
    if (name === "clash") expect(difference).toBeGreaterThan(0.01);
    else expect(difference).toBe(0);
  });
});

describe("baumWelchStepScaled", () => {
  const texts = ["acdba", "a", "cdbacdb", "acdb"].map((text) => Array.from(encode(text)));
  const rng = Rng.fromSeed(7);
  const states = 7;
  const start = initialModel(states, SYMBOLS, rng.uniforms(states ** 4), rng.uniforms(states ** 2 * SYMBOLS));

  it.each(["correct", "published"] as const)("equals the definition, counting as %s", (counting) => {
    let [slow, fast] = [start, start];
    for (let iteration = 0; iteration < 4; iteration++) {
      slow = baumWelchStep(slow, texts, counting);
      fast = baumWelchStepScaled(fast, texts, counting);
      for (const part of ["transitions", "emissions", "start"] as const) {
        expect(farthest(fast[part], slow[part])).toBeLessThan(1e-9);
      }
    }
  });

  it("predicts as the definition does", () => {
    const model = baumWelchStep(start, texts);
    for (const prefix of [[], [1], texts[2]!]) {
      expect(farthest(nextSymbolScaled(model, prefix), nextSymbol(model, prefix))).toBeLessThan(1e-12);
    }
  });

  it("equals it also for strings of one letter, where the last place is the first", () => {
    const slow = baumWelchStep(start, [[1], [2]]);
    const fast = baumWelchStepScaled(start, [[1], [2]]);
    expect(farthest(fast.emissions, slow.emissions)).toBeLessThan(1e-12);
    expect(farthest(fast.start, slow.start)).toBeLessThan(1e-12);
  });
});

describe("baumWelchProbabilities", () => {
  it("learns a language of one string", () => {
    const text = encode("abcabcabc|abcabc|abcabcabc|abcabcabcabc");
    for (const refit of ["position", "string"] as const) {
      const rows = baumWelchProbabilities(text, { automatonStates: 4, iterations: 20, refit });
      const row = rows.subarray(-SYMBOLS);
      expect(row.reduce((sum, probability) => sum + probability, 0)).toBeCloseTo(1, 12);
      expect(row.indexOf(row.reduce((a, b) => Math.max(a, b)))).toBe(1);
    }
  });
});
