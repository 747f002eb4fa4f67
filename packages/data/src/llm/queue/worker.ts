/** Takes jobs from a queue until it is told to stop. Any number of workers can run, on any machine. */
import { setMaxListeners } from "node:events";
import { isUserError, type UserError } from "@mm/run";
import type { Worker } from "bullmq";
import { checkRedis, loadBullmq, parseRedisUrl, queueName } from "./connection.js";
import type { JobKind, JobOptions, OpenJobKind } from "./job-kind.js";

export interface WorkerSettings extends JobOptions {
  readonly url: string;
  readonly kinds: readonly JobKind[];
  readonly signal: AbortSignal;
  /** After so many milliseconds without a sign of life a worker counts as dead, and its jobs go to others. */
  readonly deadAfter?: number;
  readonly onJob?: (kind: string) => void;
  readonly onReady?: () => void;
}

const DEAD_AFTER = 30_000;
/** How often a job may lose its worker before it counts as the cause. */
const MAX_DEATHS = 10;

/**
 * Resolves when the signal says so, after the jobs under way were given back or finished.
 *
 * @throws UserError when there is no Redis, or when no job can succeed here (a key is missing, …)
 */
export async function runWorker(settings: WorkerSettings): Promise<void> {
  const { url, kinds, signal, concurrency, deadAfter = DEAD_AFTER } = settings;
  const place = parseRedisUrl(url);
  await checkRedis(place);
  const { Worker } = await loadBullmq();
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const open: { worker: Worker; kind: OpenJobKind }[] = [];
  let fatal: UserError | undefined;
  const stopped = new Promise<void>((resolve) => {
    stop.signal.addEventListener("abort", () => resolve());
  });
  const abort = () => stop.abort();
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    for (const { name, most = Number.POSITIVE_INFINITY, open: openKind } of kinds) {
      const atOnce = Math.min(concurrency, most);
      const kind = await openKind({ ...settings, concurrency: atOnce });
      const worker = new Worker(
        queueName(name),
        async (job) => {
          try {
            const result = await kind.run(job.data, stop.signal);
            settings.onJob?.(name);
            return result;
          } catch (error) {
            // Others may have what is missing here; the job fails over to them.
            if (isUserError(error)) {
              fatal ??= error;
              abort();
            }
            throw error;
          }
        },
        {
          connection: { ...place, maxRetriesPerRequest: null },
          concurrency: atOnce,
          lockDuration: deadAfter,
          stalledInterval: deadAfter / 2,
          maxStalledCount: MAX_DEATHS,
        },
      );
      worker.on("error", () => {});
      open.push({ worker, kind });
      await worker.waitUntilReady();
    }
    settings.onReady?.();
    await stopped;
  } finally {
    signal.removeEventListener("abort", abort);
    // Jobs under way end with a failure, after which they go to another worker.
    for (const { worker, kind } of open) {
      await worker.close();
      await kind.close();
    }
  }
  if (fatal !== undefined) throw fatal;
}
