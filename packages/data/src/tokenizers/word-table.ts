/**
 * A hash table from words (byte strings) to their tokens, in typed arrays: first all tokens of the vocabulary, each a
 * word of one token, then the words met while encoding, up to a fixed amount of memory; when that is used up, all but
 * the vocabulary is forgotten.
 */
import type { Vocabulary } from "./vocabulary.js";

const SLOTS = 1 << 19;
const MASK = SLOTS - 1;
/** Entries, bytes and tokens that the table can hold. */
const MAX_ENTRIES = 200_000;
const MAX_BYTES = 1 << 22;
const MAX_TOKENS = 1 << 20;

/** FNV-1a, one byte after the other. */
export const HASH_START = 0x811c9dc5 | 0;
export function hashStep(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

export class WordTable {
  /** For each slot, the hash of its word and its entry + 1 (0 when the slot is free). */
  readonly #slots = new Int32Array(SLOTS * 2);
  /** For each entry: first byte, byte count, first token, token count. */
  readonly #entries = new Int32Array(MAX_ENTRIES * 4);
  readonly #bytes = new Uint8Array(MAX_BYTES);
  readonly #tokens = new Uint16Array(MAX_TOKENS);
  #entryCount = 0;
  #byteCount = 0;
  #tokenCount = 0;
  readonly #vocabulary: Vocabulary;

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    this.#reset();
  }

  /** The entry of the word bytes[start, end) with the given hash, or −1. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const slots = this.#slots;
    const entries = this.#entries;
    const known = this.#bytes;
    const length = end - start;
    for (let slot = slotOf(hash); ; slot = (slot + 1) & MASK) {
      const entry = slots[slot * 2 + 1]! - 1;
      if (entry < 0) return -1;
      if (slots[slot * 2] !== hash || entries[entry * 4 + 1] !== length) continue;
      const offset = entries[entry * 4]! - start;
      let at = start;
      while (at < end && known[at + offset] === bytes[at]) at++;
      if (at === end) return entry;
    }
  }

  /** Copies the tokens of an entry to `out` from `at` on; returns the index after the last one. */
  copyTokens(entry: number, out: Uint16Array, at: number): number {
    const first = this.#entries[entry * 4 + 2]!;
    const count = this.#entries[entry * 4 + 3]!;
    for (let index = 0; index < count; index++) out[at + index] = this.#tokens[first + index]!;
    return at + count;
  }

  /** The token that a byte string is, or −1. */
  tokenOf(bytes: Uint8Array, start: number, end: number): number {
    let hash = HASH_START;
    for (let at = start; at < end; at++) hash = hashStep(hash, bytes[at]!);
    const entry = this.find(bytes, start, end, hash);
    return entry >= 0 && this.#entries[entry * 4 + 3] === 1 ? this.#tokens[this.#entries[entry * 4 + 2]!]! : -1;
  }

  /** Adds a word that is not in the table. */
  remember(
    bytes: Uint8Array,
    start: number,
    end: number,
    hash: number,
    tokens: ArrayLike<number>,
    tokenCount: number,
  ): void {
    const length = end - start;
    if (
      this.#entryCount === MAX_ENTRIES ||
      this.#byteCount + length > MAX_BYTES ||
      this.#tokenCount + tokenCount > MAX_TOKENS
    ) {
      this.#reset();
    }
    const entry = this.#entryCount++;
    this.#entries.set([this.#byteCount, length, this.#tokenCount, tokenCount], entry * 4);
    for (let index = 0; index < length; index++) this.#bytes[this.#byteCount++] = bytes[start + index]!;
    for (let index = 0; index < tokenCount; index++) this.#tokens[this.#tokenCount++] = tokens[index]!;
    let slot = slotOf(hash);
    while (this.#slots[slot * 2 + 1] !== 0) slot = (slot + 1) & MASK;
    this.#slots[slot * 2] = hash;
    this.#slots[slot * 2 + 1] = entry + 1;
  }

  #reset(): void {
    this.#slots.fill(0);
    this.#entryCount = 0;
    this.#byteCount = 0;
    this.#tokenCount = 0;
    const { bytes, starts } = this.#vocabulary;
    for (let id = 0; id + 1 < starts.length; id++) {
      let hash = HASH_START;
      for (let at = starts[id]!; at < starts[id + 1]!; at++) hash = hashStep(hash, bytes[at]!);
      this.remember(bytes, starts[id]!, starts[id + 1]!, hash, [id], 1);
    }
  }
}

/** FNV's high bits are its better ones. */
function slotOf(hash: number): number {
  return (hash ^ (hash >>> 15)) & MASK;
}
