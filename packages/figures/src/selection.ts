/** Choosing, among many runs, the rows that belong into one curve. */
import type { MetricRow } from "@mm/run";
import { groupBy } from "./statistics.js";
import { numberTag } from "./tags.js";

/**
 * Of several runs of one model and depth, the rows of those that went farthest, and of these the largest: one curve
 * must not mix lengths of training or widths. Runs of different seeds that are alike in both all stay.
 */
export function longestRuns(rows: readonly MetricRow[]): MetricRow[] {
  const runs = groupBy(rows, (row) => [row.run]).map((group) => ({
    group,
    last: lastStep(group),
    parameters: numberTag(group[0]!, "parameters") ?? 0,
  }));
  const farthest = Math.max(...runs.map(({ last }) => last));
  const longest = runs.filter(({ last }) => last === farthest);
  const largest = Math.max(...longest.map(({ parameters }) => parameters));
  return longest.filter(({ parameters }) => parameters === largest).flatMap(({ group }) => group);
}

/**
 * One run per seed: where there are several, the one of the plainest (shortest) name, since variants of an experiment
 * carry a suffix.
 */
export function oneRunPerSeed(rows: readonly MetricRow[]): MetricRow[] {
  return groupBy(rows, (row) => [row.tags["seed"] ?? row.run]).flatMap((group) => {
    const names = [...new Set(group.map((row) => row.run))].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
    return group.filter((row) => row.run === names[0]);
  });
}

/** Each run's rows of its last step only. */
export function atLastStep(rows: readonly MetricRow[]): MetricRow[] {
  return groupBy(rows, (row) => [row.run, row.split]).flatMap((group) => {
    const last = lastStep(group);
    return group.filter((row) => row.step === last);
  });
}

function lastStep(rows: readonly MetricRow[]): number {
  return rows.reduce((last, row) => Math.max(last, row.step), 0);
}
