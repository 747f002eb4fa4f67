/** From packed text to packed tokens: one function, run in worker threads or in place. */
import type { Tokenizer } from "../tokenizers/tokenizer.js";
import { MORE, type TextBatch } from "./text-batch.js";

export interface EncodedBatch extends TextBatch {
  readonly tokens: Uint16Array<ArrayBuffer>;
  /** The end of each piece in `tokens`; a document's last piece includes the end-of-text token. */
  readonly tokenEnds: Uint32Array<ArrayBuffer>;
  /** Unicode code points of each piece. */
  readonly characters: Uint32Array<ArrayBuffer>;
  /** A hash of each piece, for the split. */
  readonly hashes: Uint32Array<ArrayBuffer>;
}

export function encodeBatch(batch: TextBatch, tokenizer: Tokenizer): EncodedBatch {
  const { bytes, ends, flags } = batch;
  const { endOfText } = tokenizer.info;
  const tokens = new Uint16Array(bytes.length + ends.length);
  const tokenEnds = new Uint32Array(ends.length);
  const characters = new Uint32Array(ends.length);
  const hashes = new Uint32Array(ends.length);
  let at = 0;
  let start = 0;
  for (let piece = 0; piece < ends.length; piece++) {
    const end = ends[piece]!;
    at = tokenizer.encodeBytes(bytes, start, end, tokens, at);
    if (endOfText !== null && (flags[piece]! & MORE) === 0) tokens[at++] = endOfText;
    tokenEnds[piece] = at;
    characters[piece] = countCharacters(bytes, start, end);
    hashes[piece] = hashBytes(bytes, start, end);
    start = end;
  }
  return { bytes, ends, flags, tokens: tokens.slice(0, at), tokenEnds, characters, hashes };
}

/** The buffers of a batch, to be moved between threads. */
export function batchBuffers(batch: TextBatch | EncodedBatch): ArrayBuffer[] {
  return Object.values(batch).map((array: Uint8Array<ArrayBuffer>) => array.buffer);
}

/** Code points of valid UTF-8: the bytes that do not continue a character. */
export function countCharacters(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) if ((bytes[at]! & 0xc0) !== 0x80) count++;
  return count;
}

/** MurmurHash3 (32 bits, seed 0). */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  const whole = end - ((end - start) & 3);
  for (let at = start; at < whole; at += 4) {
    hash ^= scramble(bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  let last = 0;
  for (let at = end - 1; at >= whole; at--) last = (last << 8) | bytes[at]!;
  hash ^= scramble(last);
  return mixBits(hash ^ (end - start));
}

function scramble(word: number): number {
  const product = Math.imul(word, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}

/** MurmurHash3's final mixing: each input bit changes about half of the output bits. */
export function mixBits(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
