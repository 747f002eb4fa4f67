/**
 * What a reader who knows the language would answer: after each token of the input, the next symbol is uniform over
 * the outgoing symbols of the current state. After the separator that is the initial state.
 */
import { type Automaton, outgoing, step } from "./automaton.js";
import { SEPARATOR, SYMBOLS, symbols } from "./vocabulary.js";

/**
 * The state after each token.
 *
 * @throws RangeError where the automaton has no edge for a token
 */
export function statePath(tokens: Int32Array, automaton: Automaton): Int32Array {
  let state = automaton.initial;
  return tokens.map((token, at) => {
    state = token === SEPARATOR ? automaton.initial : step(automaton, state, token);
    if (state < 0 || state === undefined) {
      throw new RangeError(`token "${symbols[token] ?? token}" at position ${at} is not in the automaton's language`);
    }
    return state;
  });
}

/** [n, 20]: the distribution of the next symbol after tokens[0..i], at every i, also before a separator. */
export function dfaProbabilities(tokens: Int32Array, automaton: Automaton): Float64Array {
  const rows = new Float64Array(tokens.length * SYMBOLS);
  const allowed = Array.from({ length: automaton.states }, (_, state) => outgoing(automaton, state));
  for (const [at, state] of statePath(tokens, automaton).entries()) {
    for (const symbol of allowed[state]!) rows[at * SYMBOLS + symbol] = 1 / allowed[state]!.length;
  }
  return rows;
}
