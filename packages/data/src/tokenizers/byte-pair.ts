/**
 * Byte-level byte-pair encoding with GPT-2's rules, over UTF-8 bytes and typed arrays, so that a corpus never becomes
 * JavaScript strings. Text is cut into words by the pattern
 *
 *   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * and each word, starting from its bytes, is merged pair by pair: always the pair whose merged token has the smallest
 * id, the leftmost of equal ones, until no pair forms a token. A table remembers the words met so far, so that almost
 * every word is one look-up.
 */
import { CLASSES, SPACE } from "./character-classes.js";
import { mergeLongWord, mergeShortWord } from "./merge.js";
import { PairTable } from "./pair-table.js";
import type { Vocabulary } from "./vocabulary.js";
import { HASH_START, hashStep, WordTable } from "./word-table.js";

const BLANK = 0x20;
const APOSTROPHE = 0x27;
/** Words up to this many bytes are merged by scanning all pairs, longer ones with a heap. */
const SHORT = 48;

export class BytePairEncoder {
  readonly #words: WordTable;
  readonly #pairs: PairTable;
  readonly #byteTokens: Uint16Array;
  readonly #short = new Uint16Array(SHORT);

  constructor(vocabulary: Vocabulary) {
    this.#words = new WordTable(vocabulary);
    this.#byteTokens = new Uint16Array(256);
    for (let byte = 0; byte < 256; byte++) this.#byteTokens[byte] = this.#words.tokenOf(Uint8Array.of(byte), 0, 1);
    this.#pairs = new PairTable(vocabulary, this.#words);
  }

  /**
   * Writes the tokens of bytes[start, end), which must be valid UTF-8, to `out` from index `at` on, and returns the
   * index after the last one. There are never more tokens than bytes.
   */
  encode(bytes: Uint8Array, start: number, end: number, out: Uint16Array, at: number): number {
    let next = start;
    while (next < end) {
      const from = next;
      const first = bytes[next]!;
      let hash = HASH_START;
      let kind = classAt(bytes, next);
      if (first === APOSTROPHE) {
        const length = contractionLength(bytes, next, end);
        if (length > 0) {
          for (const stop = next + length; next < stop; next++) hash = hashStep(hash, bytes[next]!);
          at = this.#word(bytes, from, next, hash, out, at);
          continue;
        }
      }
      if (first === BLANK && next + 1 < end) {
        const following = classAt(bytes, next + 1);
        if (following !== SPACE) {
          kind = following;
          hash = hashStep(hash, BLANK);
          next++;
        }
      }
      if (kind === SPACE) {
        next = spacesEnd(bytes, next, end);
        for (let index = from; index < next; index++) hash = hashStep(hash, bytes[index]!);
      } else {
        for (;;) {
          while (next < end && bytes[next]! < 0x80 && CLASSES[bytes[next]!] === kind)
            hash = hashStep(hash, bytes[next++]!);
          if (next === end || bytes[next]! < 0x80 || classAt(bytes, next) !== kind) break;
          // The bytes of one longer character: a first byte, then those that continue it (10xxxxxx).
          do hash = hashStep(hash, bytes[next++]!);
          while (next < end && (bytes[next]! & 0xc0) === 0x80);
        }
      }
      at = this.#word(bytes, from, next, hash, out, at);
    }
    return at;
  }

  /** The tokens of one word: from the table, or merged and remembered. */
  #word(bytes: Uint8Array, start: number, end: number, hash: number, out: Uint16Array, at: number): number {
    const words = this.#words;
    const entry = words.find(bytes, start, end, hash);
    if (entry >= 0) return words.copyTokens(entry, out, at);
    const length = end - start;
    if (length > SHORT) return mergeLongWord(bytes, start, end, this.#byteTokens, this.#pairs, out, at);
    const parts = this.#short;
    for (let index = 0; index < length; index++) parts[index] = this.#byteTokens[bytes[start + index]!]!;
    const count = mergeShortWord(parts, length, this.#pairs);
    for (let index = 0; index < count; index++) out[at + index] = parts[index]!;
    words.remember(bytes, start, end, hash, parts, count);
    return at + count;
  }
}

/** The class of the character that starts at `at`. */
function classAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return CLASSES[first]!;
  const second = bytes[at + 1]! & 0x3f;
  if (first < 0xe0) return CLASSES[((first & 0x1f) << 6) | second]!;
  const third = bytes[at + 2]! & 0x3f;
  if (first < 0xf0) return CLASSES[((first & 0x0f) << 12) | (second << 6) | third]!;
  return CLASSES[((first & 0x07) << 18) | (second << 12) | (third << 6) | (bytes[at + 3]! & 0x3f)]!;
}

/** Bytes of the contraction at an apostrophe ('s 't 'm 'd 're 've 'll), or 0. */
function contractionLength(bytes: Uint8Array, at: number, end: number): number {
  if (at + 1 >= end) return 0;
  const one = bytes[at + 1]!;
  if (one === 0x73 || one === 0x74 || one === 0x6d || one === 0x64) return 2;
  if (at + 2 >= end) return 0;
  const two = bytes[at + 2]!;
  if ((one === 0x72 || one === 0x76) && two === 0x65) return 3;
  return one === 0x6c && two === 0x6c ? 3 : 0;
}

/**
 * The end of the word that starts with the white space at `at`: the whole run when the text ends with it, otherwise
 * all but its last character, which may join the next word; a lone one stands for itself.
 */
function spacesEnd(bytes: Uint8Array, at: number, end: number): number {
  let last = at;
  let next = at;
  while (next < end && classAt(bytes, next) === SPACE) {
    last = next;
    do next++;
    while (next < end && (bytes[next]! & 0xc0) === 0x80);
  }
  return next < end && last > at ? last : next;
}
