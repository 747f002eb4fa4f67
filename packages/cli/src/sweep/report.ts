/** A sweep as a table: what each configuration is, how far it is, and what came out. */
import { openRun, type RunState, runState, sweepKinds } from "./kinds.js";
import type { Configuration } from "./recipe.js";
import type { SweepFolder } from "./sweep-folder.js";

export interface ConfigurationReport {
  name: string;
  settings: Configuration["settings"];
  seed: number;
  state: RunState;
  /** What is known so far; empty while waiting. */
  results: Record<string, number>;
  /** How often it failed, and why the last time. */
  failures: number;
  reason: string | null;
}

/** Finished ones first, the lowest validation loss on top. */
export function reportSweep(
  configurations: readonly Configuration[],
  folder: SweepFolder,
  root: string,
): ConfigurationReport[] {
  const attempts = folder.attempts();
  const reports = configurations.map(({ name, kind, settings, seed }): ConfigurationReport => {
    const run = openRun(root, name);
    const failures = attempts.filter((attempt) => attempt.name === name && attempt.status === "failed");
    const stopped = runState(root, name, kind);
    // A process that died left no note in its run.
    const last = attempts.findLast((attempt) => attempt.name === name);
    const state =
      last?.status === "failed" && (stopped === "interrupted" || stopped === "waiting") ? "failed" : stopped;
    return {
      name,
      settings,
      seed,
      state,
      results: run === undefined ? {} : sweepKinds[kind].results(run),
      failures: failures.length,
      reason: failures.at(-1)?.reason ?? null,
    };
  });
  const rank = ({ state, results }: ConfigurationReport) =>
    state === "finished" ? (results["validLoss"] ?? Number.MAX_VALUE) : Number.POSITIVE_INFINITY;
  return reports.sort((a, b) => rank(a) - rank(b) || 0);
}

/** "12 of 20 finished, 1 failed, 2 running, 5 waiting". */
export function countStates(reports: readonly ConfigurationReport[]): string {
  const order: RunState[] = ["failed", "running", "interrupted", "waiting"];
  const count = (state: RunState) => reports.filter((report) => report.state === state).length;
  const others = order.flatMap((state) => (count(state) === 0 ? [] : [`${count(state)} ${state}`]));
  return [`${count("finished")} of ${reports.length} finished`, ...others].join(", ");
}

/** At most `limit` lines; fields that are the same everywhere are left out. */
export function formatReports(reports: readonly ConfigurationReport[], limit: number): string {
  const several = new Set(reports.map(({ seed }) => seed)).size > 1;
  const lines = reports.slice(0, limit).map(({ name, settings, seed, state, results, reason }) => {
    const numbers = Object.entries(results).map(([metric, value]) => `${metric} ${value.toFixed(4)}`);
    const fields = Object.entries({ ...settings, ...(several && { seed }) }).map(
      ([field, value]) => `${field}=${value}`,
    );
    const why = state === "failed" && reason !== null ? [reason] : [];
    return [state.padEnd(11), [...numbers, ...fields, ...why].join("  "), `(${name})`].join("  ");
  });
  const more = reports.length - lines.length;
  return [...lines, ...(more > 0 ? [`… and ${more} more (--limit)`] : [])].join("\n");
}
