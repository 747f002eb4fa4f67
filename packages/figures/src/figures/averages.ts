/** Mean and spread over seeds, the last step of every run: what most curves are made of. */
import type { MetricRow } from "@mm/run";
import { atLastStep } from "../selection.js";
import { groupBy, mean, runsOf, standardDeviation } from "../statistics.js";
import { isVariation } from "../tags.js";

export interface Average {
  /** One of the averaged rows, for its tags. */
  readonly first: MetricRow;
  readonly value: number;
  /** Standard deviation over runs; null for a single one. */
  readonly deviation: number | null;
  readonly seeds: number;
  readonly runs: string;
}

/** Averages the rows of some metrics that agree in metric, split and the given tags. */
export function averageOverSeeds(
  rows: readonly MetricRow[],
  metrics: readonly string[],
  tags: readonly string[],
): Average[] {
  const found = rows.filter((row) => metrics.includes(row.metric) && !isVariation(row));
  const key = (row: MetricRow) => [row.metric, row.split, ...tags.map((tag) => row.tags[tag] ?? null)];
  return groupBy(atLastStep(found), key).map((group) => {
    const perRun = groupBy(group, (row) => [row.run]).map((run) => mean(run.map((row) => row.value)));
    return {
      first: group[0]!,
      value: mean(perRun),
      deviation: standardDeviation(perRun),
      seeds: perRun.length,
      runs: runsOf(group),
    };
  });
}
