/**
 * Finds stories that nearly repeat an earlier one (Broder 1997). A story is the set of its runs of five words; the share
 * of common runs of two stories, |A ∩ B| / |A ∪ B|, is the chance that a random hash function has its minimum over A and
 * over B at the same run. 64 such minima stand for a story; stories that agree in all four minima of one of 16 bands are
 * compared by the share of equal minima. A pair of similarity s meets with chance 1 − (1 − s⁴)¹⁶: 99.98 % at s = 0.8.
 *
 * Memory: 256 bytes a story, and as much again at most for the bands.
 */
const { imul } = Math;

const RUN_WORDS = 5;
const BANDS = 16;
const ROWS = 4;
const MINIMA = BANDS * ROWS;
/** Tables are at most this full. */
const LOAD = 0.5;

export class NearDuplicates {
  readonly #similarity: number;
  readonly #multipliers: Uint32Array;
  readonly #offsets: Uint32Array;
  #signatures = new Uint32Array(1024 * MINIMA);
  /** For each band an open hash table of stories, numbered from 1. */
  #tables = Array.from({ length: BANDS }, () => new Int32Array(4096));
  #count = 0;

  /** @param similarity estimated share of common runs from which on a story counts as a repetition */
  constructor(similarity: number) {
    this.#similarity = similarity;
    // Fixed functions h(x) = mix(a·x + b), so that the same stories are always found.
    this.#multipliers = Uint32Array.from({ length: MINIMA }, (_, row) => mix(2 * row + 1) | 1);
    this.#offsets = Uint32Array.from({ length: MINIMA }, (_, row) => mix(2 * row + 2));
  }

  /** Stories kept so far. */
  get count(): number {
    return this.#count;
  }

  /**
   * @returns the number of an earlier story (from 0, in the order in which stories were kept) that this one repeats, or
   *   undefined when it is new; only then it is kept
   */
  add(story: string): number | undefined {
    const signature = this.signature(story);
    for (let band = 0; band < BANDS; band++) {
      for (const other of this.#sameBand(signature, band)) {
        if (this.#share(signature, other) >= this.#similarity) return other;
      }
    }
    this.#keep(signature);
    return undefined;
  }

  /** The minima of all hash functions over the runs of five words. */
  signature(story: string): Uint32Array {
    const words = (story.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []).map(hashWord);
    const minima = new Uint32Array(MINIMA).fill(0xffffffff);
    const multipliers = this.#multipliers;
    const offsets = this.#offsets;
    const runs = Math.max(1, words.length - RUN_WORDS + 1);
    for (let start = 0; start < runs; start++) {
      let run = 0;
      for (let at = start; at < Math.min(start + RUN_WORDS, words.length); at++) {
        run = mix(imul(run, 0x01000193) ^ words[at]!);
      }
      for (let row = 0; row < MINIMA; row++) {
        const value = mix(imul(multipliers[row]!, run) + offsets[row]!);
        if (value < minima[row]!) minima[row] = value;
      }
    }
    return minima;
  }

  *#sameBand(signature: Uint32Array, band: number): Iterable<number> {
    const table = this.#tables[band]!;
    const mask = table.length - 1;
    for (let slot = bandHash(signature, 0, band) & mask; table[slot] !== 0; slot = (slot + 1) & mask) {
      const other = table[slot]! - 1;
      if (this.#agrees(signature, other, band)) yield other;
    }
  }

  #agrees(signature: Uint32Array, other: number, band: number): boolean {
    for (let row = band * ROWS; row < (band + 1) * ROWS; row++) {
      if (signature[row] !== this.#signatures[other * MINIMA + row]) return false;
    }
    return true;
  }

  #share(signature: Uint32Array, other: number): number {
    let equal = 0;
    for (let row = 0; row < MINIMA; row++) if (signature[row] === this.#signatures[other * MINIMA + row]) equal++;
    return equal / MINIMA;
  }

  #keep(signature: Uint32Array): void {
    const story = this.#count++;
    if (this.#signatures.length < this.#count * MINIMA) {
      const larger = new Uint32Array(2 * this.#signatures.length);
      larger.set(this.#signatures);
      this.#signatures = larger;
    }
    this.#signatures.set(signature, story * MINIMA);
    if (this.#count > LOAD * this.#tables[0]!.length) this.#grow();
    else for (let band = 0; band < BANDS; band++) this.#insert(band, story);
  }

  #grow(): void {
    for (let band = 0; band < BANDS; band++) {
      this.#tables[band] = new Int32Array(2 * this.#tables[band]!.length);
      for (let story = 0; story < this.#count; story++) this.#insert(band, story);
    }
  }

  #insert(band: number, story: number): void {
    const table = this.#tables[band]!;
    const mask = table.length - 1;
    let slot = bandHash(this.#signatures, story * MINIMA, band) & mask;
    while (table[slot] !== 0) slot = (slot + 1) & mask;
    table[slot] = story + 1;
  }
}

function bandHash(signatures: Uint32Array, start: number, band: number): number {
  let hash = band + 1;
  for (let row = 0; row < ROWS; row++) hash = mix(hash ^ signatures[start + band * ROWS + row]!);
  return hash;
}

function hashWord(word: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < word.length; at++) hash = imul(hash ^ word.charCodeAt(at), 0x01000193);
  return mix(hash);
}

/** A good mixture of 32 bits (the finaliser of MurmurHash3). */
function mix(value: number): number {
  value = imul(value ^ (value >>> 16), 0x85ebca6b);
  value = imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
