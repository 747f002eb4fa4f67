/** Distances between what a model computes and what the reference computed. */

/** One compared quantity: how far off it is at worst, and how far it may be. */
export interface Measure {
  readonly quantity: string;
  readonly error: number;
  readonly tolerance: number;
  /** Which tensor or step is worst. */
  readonly where?: string;
}

/** NaN fails too: it is not below anything. */
export function isWithin({ error, tolerance }: Measure): boolean {
  return error <= tolerance;
}

type Numbers = ArrayLike<number>;

function sameLength(actual: Numbers, expected: Numbers): void {
  if (actual.length !== expected.length)
    throw new Error(`expected ${expected.length} numbers to compare, found ${actual.length}`);
}

/** max |a − e| */
export function absoluteError(actual: Numbers, expected: Numbers): number {
  sameLength(actual, expected);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) worst = larger(worst, Math.abs(actual[i]! - expected[i]!));
  return worst;
}

/** max |a − e| / max |e| */
export function relativeToLargest(actual: Numbers, expected: Numbers): number {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(expected[i]!));
  return absoluteError(actual, expected) / (largest || 1);
}

/** ‖a − e‖ / ‖e‖, or ‖a‖ when the reference is zero. */
export function relativeNorm(actual: Numbers, expected: Numbers): number {
  sameLength(actual, expected);
  let difference = 0;
  let reference = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    reference += expected[i]! ** 2;
  }
  return Math.sqrt(difference / (reference || 1));
}

/** The measure of several tensors or steps: the worst of their errors. */
export function worstOf(quantity: string, errors: Readonly<Record<string, number>>, tolerance: number): Measure {
  const entries = Object.entries(errors);
  if (entries.length === 0) throw new Error(`nothing to compare for ${quantity}`);
  const [where, error] = entries.reduce((a, b) => (Object.is(larger(a[1], b[1]), a[1]) ? a : b));
  return { quantity, error, tolerance, where };
}

/** The larger of two, where NaN is larger than everything. */
function larger(a: number, b: number): number {
  return Number.isNaN(a) || a >= b ? a : b;
}
