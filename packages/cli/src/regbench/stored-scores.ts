/** A run's scores as files: rows of its evaluation `regbench`. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type ScoreResult, scoreRows } from "@mm/regbench";
import { exportMetrics, MetricLog, type MetricRow, type RunFolder, readMetrics } from "@mm/run";

const EVALUATION = "regbench";
/** Written last. */
const LAST = "metrics.csv";

/** Writes the scores as rows, replacing earlier ones. */
export function storeScores(run: RunFolder, step: number, result: ScoreResult, tags: MetricRow["tags"]): void {
  const rows = scoreRows(result).map((row) => ({ run: run.name, step, ...row, tags: { ...tags, ...row.tags } }));
  storeRows(run.evalFolder(EVALUATION), rows);
}

/** Makes `folder` hold these rows and no others; its `metrics.csv` comes last. */
export function storeRows(folder: string, rows: readonly MetricRow[]): void {
  for (const file of [LAST, "metrics.arrow", "metrics.jsonl"]) rmSync(join(folder, file), { force: true });
  const log = new MetricLog(folder);
  log.append(rows);
  log.close();
  exportMetrics(folder, rows);
}

/** Accuracy and total variation, averaged over batches as published; undefined until they are there as a whole. */
export function storedScores(run: RunFolder): { dfaAccuracy: number; totalVariation: number } | undefined {
  const folder = join(run.path, "evals", EVALUATION);
  if (!existsSync(join(folder, LAST))) return undefined;
  const rows = readMetrics(folder);
  const value = (metric: string) =>
    rows.find((row) => row.metric === metric && row.tags["average"] === "batch" && row.split === "test")?.value;
  const [dfaAccuracy, totalVariation] = [value("dfaAccuracy"), value("totalVariation")];
  return dfaAccuracy === undefined || totalVariation === undefined ? undefined : { dfaAccuracy, totalVariation };
}
