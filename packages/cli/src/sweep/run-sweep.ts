/**
 * Every configuration of a sweep once, whoever does the work: those that are finished are left alone, those that fail
 * are tried again, those that were interrupted continue.
 */
import { runState } from "./kinds.js";
import type { Configuration } from "./recipe.js";
import type { Outcome } from "./run-configuration.js";
import type { SweepFolder } from "./sweep-folder.js";

/** Does the work: processes here, or workers behind a queue. */
export interface Executor {
  /** Configurations under way at most. */
  readonly lanes: number;
  run(configuration: Configuration, signal: AbortSignal): Promise<Outcome>;
  close(): Promise<void>;
}

export interface SweepOptions {
  readonly root: string;
  readonly folder: SweepFolder;
  /** Tries after the first one. */
  readonly retries: number;
  readonly signal: AbortSignal;
  readonly onEnd?: (configuration: Configuration, outcome: Outcome, done: number) => void;
}

export interface SweepSummary {
  readonly configurations: number;
  /** Finished before. */
  readonly skipped: number;
  readonly finished: number;
  readonly failed: readonly { readonly name: string; readonly reason: string }[];
  /** Not done, because of Ctrl-C. */
  readonly left: number;
}

export async function runSweep(
  configurations: readonly Configuration[],
  executor: Executor,
  { root, folder, retries, signal, onEnd }: SweepOptions,
): Promise<SweepSummary> {
  const open = configurations.filter(({ name, kind }) => runState(root, name, kind) !== "finished");
  const skipped = configurations.length - open.length;
  const failed: { name: string; reason: string }[] = [];
  let finished = 0;

  const lane = async (queue: Configuration[]) => {
    for (let next = queue.shift(); next !== undefined && !signal.aborted; next = queue.shift()) {
      const outcome = await tryConfiguration(next);
      if (outcome.status === "interrupted") return;
      if (outcome.status === "finished") finished++;
      else failed.push({ name: next.name, reason: outcome.reason });
      onEnd?.(next, outcome, skipped + finished + failed.length);
    }
  };

  /** Interruptions of a worker cost no try; our own end everything. */
  const tryConfiguration = async (configuration: Configuration): Promise<Outcome> => {
    for (let tries = 0; ; ) {
      const started = performance.now();
      const outcome = await executor.run(configuration, signal);
      const seconds = Math.round(performance.now() - started) / 1000;
      folder.record({ name: configuration.name, ...outcome, seconds, date: new Date().toISOString() });
      if (outcome.status === "finished" || signal.aborted) return outcome;
      if (outcome.status === "failed" && ++tries > retries) return outcome;
    }
  };

  const queue = [...open];
  await Promise.all(Array.from({ length: Math.min(executor.lanes, open.length) }, () => lane(queue)));
  return {
    configurations: configurations.length,
    skipped,
    finished,
    failed,
    left: open.length - finished - failed.length,
  };
}
