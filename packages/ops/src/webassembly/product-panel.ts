/**
 * A matrix product in WebAssembly SIMD, for operands at any row and column distance: XNNPACK's routine, the only fast one
 * of the stock backend, repacks its right side slowly at each call and knows neither transposes nor strided heads. The
 * module has one function, assembled here,
 *
 *   productPanel(a, aRow, aColumn, b, bRow, out, outRow, rows, inner, accumulate)
 *
 * out[r][c] (+)= Σ_i a[r][i] · b[i][c] for eight columns c: four rows at a time stay in eight registers while i runs.
 * Distances are in bytes; the columns of b and out are contiguous; `inner` is at least 1.
 */
import {
  add,
  addFloats,
  assemble,
  block,
  branch,
  branchIf,
  constant,
  get,
  i32,
  increase,
  instantiate,
  lessThan,
  loadSplat,
  loadVector,
  loop,
  multiply,
  multiplyFloats,
  set,
  storeVector,
  tee,
  v128,
  vector,
  when,
} from "./assembler.js";

export type ProductPanel = (
  a: number,
  aRow: number,
  aColumn: number,
  b: number,
  bRow: number,
  out: number,
  outRow: number,
  rows: number,
  inner: number,
  accumulate: number,
) => void;

/** Columns of a panel. */
export const PANEL = 8;

/** The function over the given memory; undefined where WebAssembly has no SIMD. */
export function productPanelIn(memory: WebAssembly.Memory): ProductPanel | undefined {
  const parameters = Array.from({ length: 10 }, () => i32);
  const locals = [...Array.from({ length: 7 }, () => i32), ...Array.from({ length: 11 }, () => v128)];
  const code = assemble("productPanel", parameters, locals, [...rowsAtATime(4), ...rowsAtATime(1)]);
  return instantiate("productPanel", code, memory) as ProductPanel | undefined;
}

const [A, A_ROW, A_COLUMN, B, B_ROW, OUT, OUT_ROW, ROWS, INNER, ACCUMULATE] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;
/** Running places in a's rows, b and out, and what is left of `inner`. */
const A_AT = [10, 11, 12, 13] as const;
const [B_AT, OUT_AT, LEFT] = [14, 15, 16] as const;
const [SPLAT, B0, B1] = [17, 18, 19] as const;
const sum = (row: number, half: number) => 20 + 2 * row + half;

/** While there are `count` rows left: their eight columns. */
function rowsAtATime(count: number): number[] {
  const each = (code: (row: number) => number[]) => Array.from({ length: count }, (_, row) => code(row)).flat();
  const addProduct = (row: number, half: number, b: number) => [
    ...[...get(SPLAT), ...get(b), ...multiplyFloats, ...get(sum(row, half)), ...addFloats, ...set(sum(row, half))],
  ];
  const addStored = (row: number, half: number) => [
    ...[...get(OUT_AT), ...loadVector(16 * half), ...get(sum(row, half)), ...addFloats, ...set(sum(row, half))],
  ];
  const inner = loop([
    ...[...get(B_AT), ...loadVector(0), ...set(B0), ...get(B_AT), ...loadVector(16), ...set(B1)],
    ...each((row) => [
      ...[...get(A_AT[row]!), ...loadSplat(0), ...set(SPLAT)],
      ...addProduct(row, 0, B0),
      ...addProduct(row, 1, B1),
      ...increase(A_AT[row]!, get(A_COLUMN)),
    ]),
    ...increase(B_AT, get(B_ROW)),
    ...[...get(LEFT), ...constant(-1), ...add, ...tee(LEFT), ...branchIf(0)],
  ]);
  const outer = loop([
    ...[...get(ROWS), ...constant(count), ...lessThan, ...branchIf(1)],
    ...each((row) => [
      ...[...get(A), ...get(A_ROW), ...constant(row), ...multiply, ...add, ...set(A_AT[row]!)],
      ...[...vector(0, 0, 0, 0), ...set(sum(row, 0)), ...vector(0, 0, 0, 0), ...set(sum(row, 1))],
    ]),
    ...[...get(B), ...set(B_AT), ...get(INNER), ...set(LEFT)],
    ...inner,
    ...[...get(OUT), ...set(OUT_AT)],
    ...each((row) => [
      ...[...get(ACCUMULATE), ...when([...addStored(row, 0), ...addStored(row, 1)])],
      ...[
        ...get(OUT_AT),
        ...get(sum(row, 0)),
        ...storeVector(0),
        ...get(OUT_AT),
        ...get(sum(row, 1)),
        ...storeVector(16),
      ],
      ...increase(OUT_AT, get(OUT_ROW)),
    ]),
    ...[...get(OUT_AT), ...set(OUT)],
    ...increase(A, [...get(A_ROW), ...constant(count), ...multiply]),
    ...increase(ROWS, constant(-count)),
    ...branch(0),
  ]);
  return block(outer);
}
