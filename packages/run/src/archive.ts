/** Runs in miniature, small enough for version control. */
import { join } from "node:path";
import { writeFileAtomic } from "./atomic-file.js";
import { UserError } from "./errors.js";
import { encodeRow, type MetricRow, readMetrics } from "./metrics.js";
import { metricFolders, type RunFolder, writeJson } from "./run-folder.js";

/**
 * Writes `root/NAME` with the configuration, the provenance and the scores of a finished run: what its evaluations
 * measured, without weights, learning curves and what was measured position by position. It reads as a run does.
 *
 * @returns the folder
 * @throws UserError when the run is not finished or was never evaluated
 */
export function archiveRun(run: RunFolder, root: string): string {
  const status = run.status();
  if (status !== "finished")
    throw new UserError(`Expected a finished run in ${run.path}, but it is ${status}.`, {
      hint: "Resume it, then archive it.",
    });
  const scores = metricFolders(run.path).slice(1).flatMap(readMetrics).filter(isScore);
  if (scores.length === 0)
    throw new UserError(`Expected scores of evaluations in ${join(run.path, "evals")} but found none.`, {
      hint: "Evaluate the run first, with `mm eval`.",
    });
  const folder = join(root, run.name);
  writeFileAtomic(join(folder, "metrics.jsonl"), scores.map(encodeRow).join(""));
  writeJson(join(folder, "provenance.json"), run.provenance);
  writeJson(join(folder, "status.json"), { status: "finished" });
  writeJson(join(folder, "config.json"), run.config);
  return folder;
}

function isScore({ tags }: MetricRow): boolean {
  return tags["position"] === undefined;
}
