/**
 * Seeded randomness without hidden state to share: every consumer forks its own stream by label,
 *
 *   Rng.fromSeed(seed).fork("batch").fork(step)
 *
 * so a new consumer shifts nobody else's numbers, and resuming needs only the seed and the step number. A stream is a
 * Philox key and a position; C++ draws the same numbers from the same key.
 */
import { type PhiloxKey, philox4x32 } from "./philox.js";

const TWO_32 = 0x1_0000_0000;
/** Third counter words that keep forking and drawing from ever meeting. */
const DRAW_DOMAIN = 0;
const FORK_DOMAIN = 0x666f726b;

export class Rng {
  readonly key: PhiloxKey;
  #position = 0;
  #used = 4;
  readonly #block = new Uint32Array(4);

  constructor(key: PhiloxKey) {
    this.key = [key[0] >>> 0, key[1] >>> 0];
  }

  /** @param seed a non-negative integer up to 2^53 − 1 */
  static fromSeed(seed: number): Rng {
    if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`a seed is a non-negative integer, not ${seed}`);
    return new Rng([seed >>> 0, Math.floor(seed / TWO_32)]);
  }

  /** An independent stream named by its label; forking does not advance this stream. */
  fork(label: string | number): Rng {
    const bytes = new TextEncoder().encode(typeof label === "number" ? `#${label}` : label);
    const out = new Uint32Array(4);
    let key: PhiloxKey = this.key;
    for (let start = 0; start < bytes.length || start === 0; start += 8) {
      const word = (at: number) =>
        (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
      philox4x32(word(start), word(start + 4), FORK_DOMAIN, bytes.length, key, out);
      key = [out[0]!, out[1]!];
    }
    return new Rng(key);
  }

  /** Uniform integer in [0, 2^32). */
  uint32(): number {
    if (this.#used === 4) {
      philox4x32(this.#position >>> 0, Math.floor(this.#position / TWO_32), DRAW_DOMAIN, 0, this.key, this.#block);
      this.#position++;
      this.#used = 0;
    }
    return this.#block[this.#used++]!;
  }

  /** Uniform in [0, 1), a multiple of 2^-53. */
  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 0x400_0000 + low) / 0x20_0000_0000_0000;
  }

  /** Standard normal, by the Box–Muller transform. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Uniform integer in [low, high); unbiased by rejection. */
  integer(low: number, high: number): number {
    const count = high - low;
    if (!(count > 0 && count <= TWO_32)) throw new RangeError(`no integer between ${low} and ${high} (exclusive)`);
    const limit = TWO_32 - (TWO_32 % count);
    for (;;) {
      const word = this.uint32();
      if (word < limit) return low + (word % count);
    }
  }

  /** One element, uniformly. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length)]!;
  }

  /** A shuffled copy (Fisher–Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let last = out.length - 1; last > 0; last--) {
      const other = this.integer(0, last + 1);
      [out[last], out[other]] = [out[other]!, out[last]!];
    }
    return out;
  }

  /** `count` distinct elements in random order. */
  sample<T>(items: readonly T[], count: number): T[] {
    if (count > items.length) throw new RangeError(`cannot draw ${count} distinct of ${items.length} items`);
    return this.shuffle(items).slice(0, count);
  }

  /** Float32 normals of the given standard deviation. */
  normals(count: number, deviation = 1): Float32Array {
    return Float32Array.from({ length: count }, () => this.normal() * deviation);
  }

  /** Float32 uniforms in [low, high). */
  uniforms(count: number, low = 0, high = 1): Float32Array {
    return Float32Array.from({ length: count }, () => low + (high - low) * this.uniform());
  }
}
