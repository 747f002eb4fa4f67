/** Experiments one after the other, until the wall time is used: what is left is named, and the same command continues. */

interface Budget<Experiment, Done, LeftOut> {
  /** Of wall time; then nothing new starts, and the work in progress is told to stop. */
  readonly seconds: number;
  /** Stops everything, with the error of the work in progress. */
  readonly interrupt: AbortSignal;
  /** What is done already is reported even when the time is used. */
  isDone(experiment: Experiment): boolean;
  /** @throws when the signal stops it */
  run(experiment: Experiment, signal: AbortSignal): Promise<Done>;
  leftOut(experiment: Experiment): LeftOut;
}

/** @returns a row for each experiment, and for each one left out a line that says why */
export async function withinBudget<Experiment extends { readonly name: string }, Done, LeftOut>(
  experiments: readonly Experiment[],
  { seconds, interrupt, isDone, run, leftOut }: Budget<Experiment, Done, LeftOut>,
): Promise<{ rows: (Done | LeftOut)[]; missing: string[] }> {
  const end = new AbortController();
  const timer = Number.isFinite(seconds) ? setTimeout(() => end.abort(), 1000 * seconds) : undefined;
  const signal = AbortSignal.any([interrupt, end.signal]);
  const rows: (Done | LeftOut)[] = [];
  const missing: string[] = [];
  const omit = (experiment: Experiment, reason: string) => {
    missing.push(`${experiment.name}: ${reason}`);
    rows.push(leftOut(experiment));
  };
  try {
    for (const experiment of experiments) {
      if (end.signal.aborted && !isDone(experiment)) {
        omit(experiment, "not started");
        continue;
      }
      try {
        rows.push(await run(experiment, signal));
      } catch (error) {
        if (interrupt.aborted || !end.signal.aborted) throw error;
        omit(experiment, "interrupted, its checkpoint is saved");
      }
    }
  } finally {
    clearTimeout(timer);
  }
  return { rows, missing };
}

export function budgetUsed(missing: readonly string[]): string {
  return `\nThe budget is used. Left out (the same command continues):\n  ${missing.join("\n  ")}`;
}
