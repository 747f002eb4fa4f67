/** Reading tags of metric rows with the type a figure expects. */
import type { MetricRow } from "@mm/run";

/** The tag as text, or the fallback when the row does not have it. */
export function textTag(row: MetricRow, tag: string, fallback = ""): string {
  const value = row.tags[tag];
  return value === undefined ? fallback : String(value);
}

/** The tag as a number, or null when the row does not have it or it is no number. */
export function numberTag(row: MetricRow, tag: string): number | null {
  const value = row.tags[tag];
  if (value === undefined || value === "") return null;
  return Number.isNaN(Number(value)) ? null : Number(value);
}

/** True for a training on RegBench or on recall: it has a loss too, but not that of a language model. */
export function isBenchmark(row: MetricRow): boolean {
  return row.tags["environments"] !== undefined || row.tags["task"] !== undefined;
}

/** True for rows of a hyper-parameter search or an ablation: they have figures of their own and disturb all others. */
export function isVariation(row: MetricRow): boolean {
  return row.tags["sweep"] !== undefined || row.tags["ablation"] !== undefined;
}
