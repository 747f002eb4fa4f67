/**
 * Tests of agreement between two samples, each with the given rate of false alarms. The samples here come from fixed
 * seeds, so a verdict never changes from run to run.
 */

/** False alarms of one comparison: one in ten thousand. */
export const ERROR_RATE = 1e-4;
/** Standard normal quantiles of 1 − ERROR_RATE and 1 − ERROR_RATE/2. */
const ONE_SIDED = 3.719;
const TWO_SIDED = 3.891;

/** Counts of each value. */
export function countValues(values: Iterable<number>): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/**
 * χ² test of homogeneity of `counts` and `shares` of a sample of `size`. Values rarer than ten in both together are
 * put into one cell. Returns the statistic divided by its critical value: agreement means below 1.
 */
export function chiSquare(counts: Map<number, number>, shares: Readonly<Record<string, number>>, size: number): number {
  const own = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const rare: [number, number] = [0, 0];
  const cells: [number, number][] = [];
  for (const value of new Set([...counts.keys(), ...Object.keys(shares).map(Number)])) {
    const pair: [number, number] = [counts.get(value) ?? 0, (shares[value] ?? 0) * size];
    if (pair[0] + pair[1] >= 10) cells.push(pair);
    else {
      rare[0] += pair[0];
      rare[1] += pair[1];
    }
  }
  if (rare[0] + rare[1] > 0) cells.push(rare);
  const ratio = Math.sqrt(size / own);
  const statistic = cells.reduce((sum, [a, b]) => sum + (a * ratio - b / ratio) ** 2 / (a + b), 0);
  return statistic / chiSquareQuantile(cells.length - 1);
}

/** Wilson and Hilferty's approximation of the 1 − ERROR_RATE quantile. */
function chiSquareQuantile(freedom: number): number {
  const spread = 2 / (9 * freedom);
  return freedom * (1 - spread + ONE_SIDED * Math.sqrt(spread)) ** 3;
}

export interface Moments {
  readonly n: number;
  readonly mean: number;
  readonly std: number;
}

export function moments(values: readonly number[]): Moments {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  return { n, mean, std: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n) };
}

/** Difference of two means in standard errors, divided by its critical value: agreement means below 1. */
export function meanDifference(a: Moments, b: Moments): number {
  return Math.abs(a.mean - b.mean) / Math.hypot(a.std / Math.sqrt(a.n), b.std / Math.sqrt(b.n)) / TWO_SIDED;
}

/** Difference of two shares likewise. */
export function shareDifference(a: number, sizeA: number, b: number, sizeB: number): number {
  const pooled = (a * sizeA + b * sizeB) / (sizeA + sizeB);
  return Math.abs(a - b) / Math.sqrt(pooled * (1 - pooled) * (1 / sizeA + 1 / sizeB)) / TWO_SIDED;
}
