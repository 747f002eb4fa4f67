/**
 * The in-context n-gram reference: at each position it counts the strings seen so far (padded on the left with N−1
 * start marks '_') and predicts from the last N−1 symbols, backing off to shorter contexts for letters that never
 * followed. With c(w) the number of occurrences of w and 𝒱 the letters seen:
 *
 *   P_n(x | context) = c(context x) / c(context)                          if context x was seen
 *                    = β · P_{n−1}(x | shorter) / Σ_{u ∈ U} P_{n−1}(u | shorter)   otherwise
 *
 * U are the letters of 𝒱 not seen after the context and β = 1 − Σ_{seen} P_n, which is positive because the context's
 * present occurrence has no successor yet. Where U is empty the row sums to 1 − β: the published reference leaves it
 * so. Order 1 (no context, no padding) is the repair of a case that crashes there.
 *
 * Counts live in a trie whose path is the n-gram, so that each new token adds N counts and each row costs N passes over
 * 20 letters. The obvious definition is in `testing/ngram-definition.ts`.
 */
import { type Predictor, probabilityPredictor } from "./predictor.js";
import { SEPARATOR, SYMBOLS } from "./vocabulary.js";

/** In the trie the start mark takes the place of the padding symbol, which occurs in no string. */
const START = 0;

class NgramCounts {
  readonly #order: number;
  /** children[node·20 + symbol], 0 where there is none (node 0 is the root, nobody's child). */
  #children = new Int32Array(64 * SYMBOLS);
  #counts = new Float64Array(64);
  #nodes = 1;
  /** contexts[m]: the node of the last m symbols, m = 0 … N−1. */
  readonly #contexts: Int32Array;
  readonly #seen = new Uint8Array(SYMBOLS);

  constructor(order: number) {
    this.#order = order;
    this.#contexts = new Int32Array(order);
    this.startString();
  }

  /** Pads a new string: its m-th mark ends an n-gram of at most m symbols. */
  startString(): void {
    for (let mark = 1; mark < this.#order; mark++) this.#count(START, mark);
  }

  add(letter: number): void {
    this.#seen[letter] = 1;
    this.#count(letter, this.#order);
  }

  /** Counts the n-grams of up to `longest` symbols that end in `symbol`. */
  #count(symbol: number, longest: number): void {
    this.#counts[0]!++;
    for (let length = longest; length >= 1; length--) {
      const node = this.#child(this.#contexts[length - 1]!, symbol);
      this.#counts[node]!++;
      if (length < this.#order) this.#contexts[length] = node;
    }
  }

  #child(node: number, symbol: number): number {
    const known = this.#children[node * SYMBOLS + symbol]!;
    if (known > 0) return known;
    if (this.#nodes === this.#counts.length) {
      const children = new Int32Array(2 * this.#children.length);
      children.set(this.#children);
      this.#children = children;
      const counts = new Float64Array(2 * this.#counts.length);
      counts.set(this.#counts);
      this.#counts = counts;
    }
    this.#children[node * SYMBOLS + symbol] = this.#nodes;
    return this.#nodes++;
  }

  /** Writes the next symbol's distribution, from order 1 (where every letter of 𝒱 was seen) upwards. */
  predict(row: Float64Array): void {
    row.fill(0);
    for (let order = 1; order <= this.#order; order++) {
      const context = this.#contexts[order - 1]!;
      let seenMass = 0;
      let unseenMass = 0;
      for (let letter = 1; letter < SEPARATOR; letter++) {
        if (!this.#seen[letter]) continue;
        const node = this.#children[context * SYMBOLS + letter]!;
        if (node > 0) seenMass += this.#counts[node]! / this.#counts[context]!;
        else unseenMass += row[letter]!;
      }
      for (let letter = 1; letter < SEPARATOR; letter++) {
        if (!this.#seen[letter]) continue;
        const node = this.#children[context * SYMBOLS + letter]!;
        row[letter] =
          node > 0 ? this.#counts[node]! / this.#counts[context]! : ((1 - seenMass) * row[letter]!) / unseenMass;
      }
    }
  }
}

/**
 * [n, 20]: row i is the n-gram answer after tokens[0..i].
 *
 * @throws RangeError unless the order is a positive integer
 */
export function ngramProbabilities(tokens: Int32Array, order: number): Float64Array {
  if (!Number.isInteger(order) || order < 1) throw new RangeError(`an n-gram has a positive order, not ${order}`);
  const rows = new Float64Array(tokens.length * SYMBOLS);
  const counts = new NgramCounts(order);
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!;
    if (token === SEPARATOR) counts.startString();
    else counts.add(token);
    counts.predict(rows.subarray(at * SYMBOLS, (at + 1) * SYMBOLS));
  }
  return rows;
}

/** The n-gram reference as a competitor. */
export function ngramPredictor(order: number): Predictor {
  return probabilityPredictor((tokens) => ngramProbabilities(tokens, order));
}
