import { describe, expect, it } from "@jest/globals";
import { Rng } from "@mm/run";
import fc from "fast-check";
import { type Automaton, automatonFromEdges, edgesOf, sampleAutomaton, step } from "./automaton.js";
import { canonicalForm, equivalenceClasses, minimise } from "./minimise.js";
import { SYMBOLS } from "./vocabulary.js";

/** The definition: mark pairs that one letter tells apart, then pairs that a letter leads to a marked pair. */
function distinguishable(automaton: Automaton): boolean[][] {
  const { states } = automaton;
  const marked = Array.from({ length: states }, () => new Array<boolean>(states).fill(false));
  for (let changed = true; changed; ) {
    changed = false;
    for (let a = 0; a < states; a++) {
      for (let b = 0; b < states; b++) {
        if (marked[a]![b]) continue;
        for (let symbol = 0; symbol < SYMBOLS; symbol++) {
          const [x, y] = [step(automaton, a, symbol), step(automaton, b, symbol)];
          const apart = x < 0 || y < 0 ? x !== y : marked[x]![y]!;
          if (apart) {
            marked[a]![b] = true;
            changed = true;
          }
        }
      }
    }
  }
  return marked;
}

/** Few letters, so that equivalent states are common. */
const automata = fc
  .nat()
  .map((seed) => sampleAutomaton(Rng.fromSeed(seed), { nodes: [4, 9], letters: 18, alphabet: [2, 3], degree: [1, 2] }));

describe("minimise", () => {
  it("merges the two states that only d leaves", () => {
    const automaton = automatonFromEdges([{ a: 1, b: 2 }, { a: 3, c: 0 }, { d: 0 }, { d: 0 }, { e: 0 }]);
    expect(edgesOf(minimise(automaton))).toEqual([{ a: 1, b: 2 }, { a: 2, c: 0 }, { d: 0 }]);
  });
  it("collapses a cycle of one letter to a single state with a self loop", () =>
    expect(edgesOf(minimise(automatonFromEdges([{ a: 1 }, { a: 2 }, { a: 0 }])))).toEqual([{ a: 0 }]));
  it("puts two states into one class exactly if no string tells them apart", () =>
    fc.assert(
      fc.property(automata, (automaton) => {
        const classes = equivalenceClasses(automaton);
        const apart = distinguishable(automaton);
        for (const [a, row] of apart.entries()) {
          for (const [b, differs] of row.entries()) expect(classes[a] !== classes[b]).toBe(differs);
        }
      }),
    ));
  it("gives the same form whatever the states are called", () =>
    fc.assert(
      fc.property(automata, fc.nat(), (automaton, seed) => {
        const names = Rng.fromSeed(seed).shuffle(Array.from({ length: automaton.states }, (_, state) => state));
        const transitions = new Int32Array(automaton.transitions.length);
        for (let state = 0; state < automaton.states; state++) {
          for (let symbol = 0; symbol < SYMBOLS; symbol++) {
            const target = step(automaton, state, symbol);
            transitions[names[state]! * SYMBOLS + symbol] = target < 0 ? -1 : names[target]!;
          }
        }
        const renamed = { states: automaton.states, initial: names[automaton.initial]!, transitions };
        expect(canonicalForm(renamed)).toEqual(canonicalForm(automaton));
        expect(minimise(renamed)).toEqual(minimise(automaton));
      }),
    ));
});
