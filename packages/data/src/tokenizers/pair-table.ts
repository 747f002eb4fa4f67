/**
 * For two neighbouring tokens, the token that their bytes together are. GPT-2's merge list names one pair for each
 * token, but tokenizers look up the bytes, so that every way to cut a token into two tokens counts as a pair.
 */
import type { Vocabulary } from "./vocabulary.js";
import type { WordTable } from "./word-table.js";

/** What `merged` returns for a pair that forms no token: larger than any token. */
export const NO_TOKEN = 0x1_0000;

export class PairTable {
  readonly #mask: number;
  /** left · 65536 + right, and the merged token + 1 (0 when the slot is free). */
  readonly #keys: Int32Array;
  readonly #merged: Uint16Array;

  constructor({ bytes, starts }: Vocabulary, words: WordTable) {
    const pairs: number[] = [];
    for (let token = 0; token + 1 < starts.length; token++) {
      const start = starts[token]!;
      const end = starts[token + 1]!;
      for (let cut = start + 1; cut < end; cut++) {
        const left = words.tokenOf(bytes, start, cut);
        if (left < 0) continue;
        const right = words.tokenOf(bytes, cut, end);
        if (right >= 0) pairs.push((left << 16) | right, token);
      }
    }
    // A power of two at least four times the number of pairs.
    const slots = 2 ** Math.ceil(Math.log2(pairs.length * 2));
    this.#mask = slots - 1;
    this.#keys = new Int32Array(slots);
    this.#merged = new Uint16Array(slots);
    for (let index = 0; index < pairs.length; index += 2) {
      const key = pairs[index]!;
      let slot = this.#slotOf(key);
      while (this.#merged[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#keys[slot] = key;
      this.#merged[slot] = pairs[index + 1]! + 1;
    }
  }

  merged(left: number, right: number): number {
    const key = (left << 16) | right;
    for (let slot = this.#slotOf(key); ; slot = (slot + 1) & this.#mask) {
      const token = this.#merged[slot]!;
      if (token === 0) return NO_TOKEN;
      if (this.#keys[slot] === key) return token - 1;
    }
  }

  #slotOf(key: number): number {
    const mixed = Math.imul(key ^ (key >>> 15), 0x2c1b3c6d);
    return (mixed ^ (mixed >>> 13)) & this.#mask;
  }
}
