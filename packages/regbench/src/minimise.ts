/**
 * The smallest automaton of the same language, in canonical form: states are numbered breadth-first from the initial
 * state along edges in alphabetical order, so that two automata have the same language exactly if they are equal here.
 *
 * Since all states accept and a missing edge leads to a rejecting sink, two states are equivalent if and only if they
 * have the same outgoing letters, to equivalent states. The partition starts with one class and is refined by
 * (own class, classes of the targets) until it no longer splits (Moore's algorithm). The result may have self loops
 * and parallel edges although the raw automaton has none.
 */
import { type Automaton, step } from "./automaton.js";
import { SYMBOLS } from "./vocabulary.js";

export function minimise(automaton: Automaton): Automaton {
  return canonicalForm(quotient(automaton, equivalenceClasses(automaton)));
}

/** The class of each state; classes are numbered in order of first appearance. */
export function equivalenceClasses(automaton: Automaton): Int32Array {
  let classes = new Int32Array(automaton.states);
  for (let count = 1; ; ) {
    const numberOf = new Map<string, number>();
    const refined = classes.map((own, state) => {
      let signature = `${own}`;
      for (let symbol = 0; symbol < SYMBOLS; symbol++) {
        const target = step(automaton, state, symbol);
        signature += target < 0 ? "," : `,${classes[target]}`;
      }
      const known = numberOf.get(signature) ?? numberOf.size;
      numberOf.set(signature, known);
      return known;
    });
    if (numberOf.size === count) return refined;
    count = numberOf.size;
    classes = refined;
  }
}

function quotient(automaton: Automaton, classes: Int32Array): Automaton {
  const states = classes.reduce((most, own) => Math.max(most, own + 1), 0);
  const transitions = new Int32Array(states * SYMBOLS).fill(-1);
  for (let state = 0; state < automaton.states; state++) {
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      const target = step(automaton, state, symbol);
      if (target >= 0) transitions[classes[state]! * SYMBOLS + symbol] = classes[target]!;
    }
  }
  return { states, initial: classes[automaton.initial]!, transitions };
}

/** Keeps what the initial state (which becomes 0) can reach, numbered breadth-first in alphabetical order. */
export function canonicalForm(automaton: Automaton): Automaton {
  const order = [automaton.initial];
  const numberOf = new Map([[automaton.initial, 0]]);
  const transitions: number[] = [];
  for (let at = 0; at < order.length; at++) {
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      const target = step(automaton, order[at]!, symbol);
      if (target >= 0 && !numberOf.has(target)) {
        numberOf.set(target, order.length);
        order.push(target);
      }
      transitions.push(target < 0 ? -1 : numberOf.get(target)!);
    }
  }
  return { states: order.length, initial: 0, transitions: Int32Array.from(transitions) };
}
