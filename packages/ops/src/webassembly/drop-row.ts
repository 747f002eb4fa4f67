/**
 * Dropout by Philox, 32 elements at a time, in WebAssembly SIMD: ten times faster than JavaScript, which has no 64-bit
 * products. The module has one function, assembled here instruction by instruction:
 *
 *   dropRow(to, from, groups, row, threshold, scale, key0, key1)
 *
 * reads 32·groups floats at byte offset `from` and writes them at `to`: 0 where row `row` of the mask drops them, times
 * `scale` where it keeps them. The definition it must agree with is `dropoutDropRowPlain`.
 */
import {
  add,
  addWords,
  and,
  assemble,
  branchIf,
  constant,
  f32,
  get,
  halvesAtLeast,
  i32,
  increase,
  instantiate,
  lessThan,
  loadVector,
  loop,
  multiplyFloats,
  pick,
  productsHigh,
  productsLow,
  set,
  shiftLeft,
  splatFloats,
  splatHalves,
  splatWords,
  storeVector,
  tee,
  v128,
  vector,
  wordsFromHighHalves,
  wordsFromLowHalves,
  xor,
} from "./assembler.js";

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;
/** Rounds of Philox for a mask: the fewest that pass all of TestU01's BigCrush, since much time goes into them. */
export const DROPOUT_ROUNDS = 7;

export type DropRow = (
  to: number,
  from: number,
  groups: number,
  row: number,
  threshold: number,
  scale: number,
  key0: number,
  key1: number,
) => void;

/** The function over the given memory; undefined where WebAssembly has no SIMD. */
export function dropRowIn(memory: WebAssembly.Memory): DropRow | undefined {
  return instantiate("dropRow", assembleDropRow(), memory) as DropRow | undefined;
}

/** Locals: the parameters, then the loop's own. */
const [TO, FROM, GROUPS, ROW, THRESHOLD, SCALE, KEY0, KEY1, GROUP] = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const;
const [C0, C1, C2, C3, PRODUCTS0, PRODUCTS1, HIGH0, LOW0, HIGH1, LOW1] = [
  9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
] as const;

/** The 64-bit products of four counters with a constant, split into their high and low words. */
function productsOf(counter: number, factor: number, high: number, low: number): number[] {
  const operands = [...get(counter), ...vector(factor, factor, factor, factor)];
  const both = [...get(PRODUCTS0), ...get(PRODUCTS1)];
  return [
    ...[...operands, ...productsLow, ...set(PRODUCTS0)],
    ...[...operands, ...productsHigh, ...set(PRODUCTS1)],
    ...[...both, ...pick(1, 3, 5, 7), ...set(high)],
    ...[...both, ...pick(0, 2, 4, 6), ...set(low)],
  ];
}

function round(index: number): number[] {
  const key = (local: number, step: number) => [
    ...get(local),
    ...constant(Math.imul(step, index)),
    ...add,
    ...splatWords,
  ];
  return [
    ...productsOf(C0, M0, HIGH0, LOW0),
    ...productsOf(C2, M1, HIGH1, LOW1),
    ...[...get(HIGH1), ...get(C1), ...xor, ...key(KEY0, W0), ...xor, ...set(C0)],
    ...[...get(HIGH0), ...get(C3), ...xor, ...key(KEY1, W1), ...xor, ...set(C2)],
    ...[...get(LOW1), ...set(C1)],
    ...[...get(LOW0), ...set(C3)],
  ];
}

/** The eight elements of one block, whose four words stand in a local. */
function dropBlock(block: number, index: number): number[] {
  const kept = [...get(block), ...get(THRESHOLD), ...splatHalves, ...halvesAtLeast];
  const half = (offset: number, keptWords: number[]) => [
    ...[...get(TO), ...get(FROM), ...loadVector(offset), ...get(SCALE), ...splatFloats, ...multiplyFloats],
    ...[...kept, ...keptWords, ...and, ...storeVector(offset)],
  ];
  return [...half(32 * index, wordsFromLowHalves), ...half(32 * index + 16, wordsFromHighHalves)];
}

function assembleDropRow(): Uint8Array<ArrayBuffer> {
  const zero = vector(0, 0, 0, 0);
  const pair = (a: number, b: number, words: number[], to: number) => [
    ...get(a),
    ...get(b),
    ...pick(...words),
    ...set(to),
  ];
  const body = loop([
    ...[...get(GROUP), ...constant(2), ...shiftLeft, ...splatWords, ...vector(0, 1, 2, 3), ...addWords, ...set(C0)],
    ...[...get(ROW), ...splatWords, ...set(C1), ...zero, ...set(C2), ...zero, ...set(C3)],
    ...Array.from({ length: DROPOUT_ROUNDS }, (_, index) => round(index)).flat(),
    // From word w of four blocks to the four words of block b.
    ...pair(C0, C1, [0, 4, 1, 5], HIGH0),
    ...pair(C2, C3, [0, 4, 1, 5], HIGH1),
    ...pair(C0, C1, [2, 6, 3, 7], LOW0),
    ...pair(C2, C3, [2, 6, 3, 7], LOW1),
    ...pair(HIGH0, HIGH1, [0, 1, 4, 5], C0),
    ...pair(HIGH0, HIGH1, [2, 3, 6, 7], C1),
    ...pair(LOW0, LOW1, [0, 1, 4, 5], C2),
    ...pair(LOW0, LOW1, [2, 3, 6, 7], C3),
    ...[C0, C1, C2, C3].flatMap(dropBlock),
    ...increase(TO, constant(128)),
    ...increase(FROM, constant(128)),
    ...[...get(GROUP), ...constant(1), ...add, ...tee(GROUP), ...get(GROUPS), ...lessThan, ...branchIf(0)],
  ]);
  const vectors = Array.from({ length: 10 }, () => v128);
  return assemble("dropRow", [i32, i32, i32, i32, i32, f32, i32, i32], [i32, ...vectors], body);
}
