/** The merge loop of byte-pair encoding: by scanning for short words, with a heap for long ones. */
import { NO_TOKEN, type PairTable } from "./pair-table.js";

/**
 * Merges parts[0, count) in place and returns how many remain. Each round scans for the pair with the smallest merged
 * token, the leftmost of equal ones: n² steps, the definition of the encoding.
 */
export function mergeShortWord(parts: Uint16Array, count: number, pairs: PairTable): number {
  for (;;) {
    let best = NO_TOKEN;
    let place = -1;
    for (let index = 0; index + 1 < count; index++) {
      const token = pairs.merged(parts[index]!, parts[index + 1]!);
      if (token < best) {
        best = token;
        place = index;
      }
    }
    if (place < 0) return count;
    parts[place] = best;
    count--;
    for (let index = place + 1; index < count; index++) parts[index] = parts[index + 1]!;
  }
}

const NONE = -1;
const TWO_32 = 0x1_0000_0000;

/**
 * The same for a word of any length in n log n steps: parts form a linked list, candidate pairs wait in a heap ordered
 * by (merged token, position), and candidates whose parts changed meanwhile are dropped when they come up.
 */
export function mergeLongWord(
  bytes: Uint8Array,
  start: number,
  end: number,
  byteTokens: Uint16Array,
  pairs: PairTable,
  out: Uint16Array,
  at: number,
): number {
  const count = end - start;
  const tokens = new Int32Array(count);
  const before = new Int32Array(count);
  const after = new Int32Array(count);
  for (let index = 0; index < count; index++) {
    tokens[index] = byteTokens[bytes[start + index]!]!;
    before[index] = index - 1;
    after[index] = index + 1 < count ? index + 1 : NONE;
  }
  const candidates = new Heap();
  const propose = (left: number) => {
    const right = left === NONE ? NONE : after[left]!;
    if (right === NONE) return;
    const token = pairs.merged(tokens[left]!, tokens[right]!);
    if (token !== NO_TOKEN) candidates.push(token * TWO_32 + left);
  };
  for (let index = 0; index < count; index++) propose(index);
  for (let candidate = candidates.pop(); candidate !== undefined; candidate = candidates.pop()) {
    const token = Math.floor(candidate / TWO_32);
    const left = candidate % TWO_32;
    const right = tokens[left] === NO_TOKEN ? NONE : after[left]!;
    if (right === NONE || pairs.merged(tokens[left]!, tokens[right]!) !== token) continue;
    tokens[left] = token;
    tokens[right] = NO_TOKEN;
    after[left] = after[right]!;
    if (after[left] !== NONE) before[after[left]!] = left;
    propose(before[left]!);
    propose(left);
  }
  for (let index = 0; index !== NONE; index = after[index]!) out[at++] = tokens[index]!;
  return at;
}

/** A binary heap of numbers; the smallest comes first. */
class Heap {
  readonly #items: number[] = [];

  push(item: number): void {
    const items = this.#items;
    let child = items.length;
    items.push(item);
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (items[parent]! <= item) break;
      items[child] = items[parent]!;
      child = parent;
    }
    items[child] = item;
  }

  pop(): number | undefined {
    const items = this.#items;
    const smallest = items[0];
    const item = items.pop();
    if (item === undefined || items.length === 0) return smallest;
    let parent = 0;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1]! < items[child]!) child++;
      if (items[child]! >= item) break;
      items[parent] = items[child]!;
      parent = child;
    }
    items[parent] = item;
    return smallest;
  }
}
