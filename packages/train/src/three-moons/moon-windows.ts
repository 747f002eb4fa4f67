/** Windows cut out of the moons' courses, which are computed once. */
import { COORDINATES, moonPositions, type Periods, startsBelow, stepsPerUnit } from "@mm/models";
import type { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import type { ThreeMoonsConfig } from "./config.js";

/** All positions of one triple that a window may show: [steps, 6]. */
export type Course = Float32Array;

/** Long enough for windows of `length` steps from every start, and their targets. */
export function courseOf(
  periods: Periods,
  { block, minimumPeriods }: Pick<ThreeMoonsConfig, "block" | "minimumPeriods">,
  length = block,
): Course {
  const density = stepsPerUnit({ block, minimumPeriods });
  return moonPositions({ periods, start: 0, length: startsBelow(block) + length, density });
}

/** Inputs and targets (the next positions) of windows from random starts in random courses: [windows, length, 6] each. */
export function randomWindows(courses: readonly Course[], windows: number, length: number, rng: Rng) {
  return tf.tidy(() => {
    const values = new Float32Array(windows * (length + 1) * COORDINATES);
    for (let window = 0; window < windows; window++) {
      const course = rng.pick(courses);
      const start = rng.integer(0, course.length / COORDINATES - length);
      const rows = course.subarray(start * COORDINATES, (start + length + 1) * COORDINATES);
      values.set(rows, window * (length + 1) * COORDINATES);
    }
    const all = tf.tensor3d(values, [windows, length + 1, COORDINATES]);
    return { inputs: tf.slice(all, [0, 0, 0], [-1, length, -1]), targets: tf.slice(all, [0, 1, 0], [-1, length, -1]) };
  });
}
