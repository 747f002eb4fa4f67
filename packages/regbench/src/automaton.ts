/**
 * The languages of RegBench: partial deterministic automata whose states all accept. A string is a walk from the initial
 * state that takes one of the outgoing edges uniformly at each step.
 *
 *        b ⟲            { initial: 0, edges: [ { a: 1, b: 0 },      state 0
 *   → (0) ── a → (1)                          { c: 0 } ] }          state 1
 *      ↖─── c ────┘
 */
import type { Rng } from "@mm/run";
import { LETTERS, SYMBOLS, symbols } from "./vocabulary.js";

export interface Automaton {
  readonly states: number;
  readonly initial: number;
  /** [states, 20]: the state reached from a state by a symbol, or −1 where there is no edge. */
  readonly transitions: Int32Array;
}

/** Both ends inclusive. */
export type Range = readonly [low: number, high: number];

export interface AutomatonClass {
  /** Number of nodes, before minimising. */
  readonly nodes: Range;
  /** The first this many letters are in use: alphabets are drawn from them. */
  readonly letters: number;
  /** Number of letters the edges choose from. */
  readonly alphabet: Range;
  /** Outgoing edges of a node. */
  readonly degree: Range;
}

/** The published class. Its code says "max_outgoing_edges = 4", an exclusive bound: at most three. */
export const publishedClass: AutomatonClass = {
  nodes: [4, 12],
  letters: LETTERS,
  alphabet: [4, LETTERS],
  degree: [1, 3],
};

export const allLetters: readonly number[] = Array.from({ length: LETTERS }, (_, index) => index + 1);

/**
 * Draws a raw automaton: node count, alphabet size and letters uniformly; then for each node a uniform degree, distinct
 * letters of the alphabet and distinct targets other than the node itself. Node 0 is the initial state.
 */
export function sampleAutomaton(
  rng: Rng,
  { nodes, letters: inUse, alphabet, degree }: AutomatonClass = publishedClass,
): Automaton {
  const states = rng.integer(nodes[0], nodes[1] + 1);
  const letters = rng.sample(allLetters.slice(0, inUse), rng.integer(alphabet[0], alphabet[1] + 1));
  const transitions = new Int32Array(states * SYMBOLS).fill(-1);
  const all = Array.from({ length: states }, (_, state) => state);
  for (let state = 0; state < states; state++) {
    const edges = rng.integer(degree[0], degree[1] + 1);
    const chosen = rng.sample(letters, edges);
    const targets = rng.sample(
      all.filter((other) => other !== state),
      edges,
    );
    for (let edge = 0; edge < edges; edge++) transitions[state * SYMBOLS + chosen[edge]!] = targets[edge]!;
  }
  return { states, initial: 0, transitions };
}

/** The state reached by a symbol, or −1. */
export function step(automaton: Automaton, state: number, symbol: number): number {
  return automaton.transitions[state * SYMBOLS + symbol]!;
}

/** The symbols that may follow in a state, in increasing order. */
export function outgoing(automaton: Automaton, state: number): number[] {
  const found: number[] = [];
  for (let symbol = 0; symbol < SYMBOLS; symbol++) if (step(automaton, state, symbol) >= 0) found.push(symbol);
  return found;
}

/** One state's edges by letter: { a: 1, c: 0 }. */
export type Edges = Readonly<Record<string, number>>;

/** @throws RangeError on an unknown symbol or a target that is no state */
export function automatonFromEdges(edges: readonly Edges[], initial = 0): Automaton {
  const transitions = new Int32Array(edges.length * SYMBOLS).fill(-1);
  for (const [state, out] of edges.entries()) {
    for (const [symbol, target] of Object.entries(out)) {
      const id = symbols.indexOf(symbol);
      if (id < 1 || id > LETTERS) throw new RangeError(`an edge carries a letter a…r, not "${symbol}"`);
      if (!(target in edges)) throw new RangeError(`edge "${symbol}" of state ${state} leads to no state: ${target}`);
      transitions[state * SYMBOLS + id] = target;
    }
  }
  return { states: edges.length, initial, transitions };
}

/** The inverse of {@link automatonFromEdges}, letters in alphabetical order. */
export function edgesOf(automaton: Automaton): Edges[] {
  return Array.from({ length: automaton.states }, (_, state) =>
    Object.fromEntries(outgoing(automaton, state).map((symbol) => [symbols[symbol], step(automaton, state, symbol)])),
  );
}
