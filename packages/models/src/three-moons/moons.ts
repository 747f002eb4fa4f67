/**
 * Three moons on circles, seen from the sun (paper, section on predictive disentanglement): moon k of period p_k stands
 * at time τ at
 *
 *   (sin(2πτ/p_k + 0.3), cos(2πτ/p_k + 0.3)),   k = 1, 2, 3
 *
 * six numbers per step. Together they repeat after the joint period, the least common multiple of the three; each alone
 * repeats much earlier. Seen from the third moon ("planet"), its position is subtracted from the other two.
 */

/** Periods of the three moons, in units of time. */
export type Periods = readonly [number, number, number];

/** Numbers per step: a sine and a cosine for each moon. */
export const COORDINATES = 6;

/**
 * Triples of {0.5, 1, …, 3.5} whose joint period is at most 6. The published code sorts all 35 triples by joint period
 * with an unstable sort and keeps nine, so ties decide which of those with joint period 6 take part. This is the list
 * that it gives with plain introsort, frozen.
 */
export const TRAINING_TRIPLES: readonly Periods[] = [
  [0.5, 1, 2],
  [0.5, 1, 1.5],
  [0.5, 1.5, 3],
  [1, 1.5, 3],
  [0.5, 1, 3],
  [0.5, 1, 2.5],
  [0.5, 1.5, 2],
  [1.5, 2, 3],
];

/** Never seen in training; each of its periods is. */
export const HELD_OUT_TRIPLE: Periods = [1, 2, 3];

const LONGEST_JOINT_PERIOD = 6;
const PHASE = 0.3;
const GRID_POINTS = 10_000;

/** Steps per unit of time: a window of `block` steps holds the longest joint period `minimumPeriods` times. */
export function stepsPerUnit({ block, minimumPeriods }: { block: number; minimumPeriods: number }): number {
  return block / LONGEST_JOINT_PERIOD / minimumPeriods;
}

/** Windows start at a whole step below this one. */
export function startsBelow(block: number): number {
  return GRID_POINTS - 2 * block - 1;
}

/** The time after which all moons stand where they stood; periods are multiples of a tenth. */
export function jointPeriod(periods: Periods): number {
  return periods.map((period) => Math.round(10 * period)).reduce((a, b) => (a / greatestCommonDivisor(a, b)) * b) / 10;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

export interface MoonWindow {
  readonly periods: Periods;
  /** The first step, counted from τ = 0. */
  readonly start: number;
  readonly length: number;
  /** Steps per unit of time. */
  readonly density: number;
  readonly observer?: "sun" | "planet";
}

/** Positions at `length` successive steps: [length, 6], moon after moon, sine before cosine. */
export function moonPositions({ periods, start, length, density, observer = "sun" }: MoonWindow): Float32Array {
  const positions = new Float32Array(length * COORDINATES);
  for (let step = 0; step < length; step++) {
    const time = (start + step) / density;
    const seen = periods.flatMap((period) => {
      const angle = (2 * Math.PI * time) / period + PHASE;
      return [Math.sin(angle), Math.cos(angle)];
    });
    if (observer === "planet") {
      for (let other = 0; other < 4; other++) seen[other]! -= seen[4 + (other % 2)]!;
    }
    positions.set(seen, step * COORDINATES);
  }
  return positions;
}
