/**
 * Hands configurations to `mm worker` processes. A configuration is a job named after its run, so it is in the queue
 * once, whoever puts it there; a job whose worker is killed goes to another one, which continues the run where folders
 * are shared. Where they are not, the answer brings the run's numbers along.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkRedis, describePlace, loadBullmq, parseRedisUrl, queueName } from "@mm/data";
import { runState } from "./kinds.js";
import { unpackRun } from "./packed-run.js";
import type { Configuration } from "./recipe.js";
import type { Outcome, Place } from "./run-configuration.js";
import type { Executor } from "./run-sweep.js";
import { type SweepJob, SweepResult, sweepJobs } from "./sweep-jobs.js";

export interface WorkerSettings extends Place {
  readonly sweep: string;
  readonly backend?: string | undefined;
  /** Of the Redis server. */
  readonly url: string;
  /** Told when jobs wait and there is no worker. */
  readonly onIdle?: (hint: string) => void;
}

/** Jobs in the queue at once: enough for many workers. */
const LANES = 256;
const LOOK_MILLISECONDS = 500;
const IDLE_MILLISECONDS = 15_000;

/** @throws UserError when there is no Redis */
export async function workerExecutor({ root, sweep, backend, url, onIdle }: WorkerSettings): Promise<Executor> {
  const place = parseRedisUrl(url);
  await checkRedis(place);
  const { Queue } = await loadBullmq();
  // Waits for Redis to come back rather than fail.
  const queue = new Queue(queueName(sweepJobs.name), { connection: { ...place, maxRetriesPerRequest: null } });
  queue.on("error", () => {});
  let idleSince = performance.now();

  const warnWithoutWorkers = async () => {
    if (performance.now() - idleSince < IDLE_MILLISECONDS) return;
    idleSince = performance.now();
    if ((await queue.getWorkersCount()) === 0)
      onIdle?.(`no worker takes jobs from ${describePlace(place)}; start one with: mm worker --queue …`);
  };

  return {
    lanes: LANES,
    async run(configuration: Configuration, signal: AbortSignal): Promise<Outcome> {
      const { name, kind } = configuration;
      const data: SweepJob = { sweep, configuration: { ...configuration }, ...(backend !== undefined && { backend }) };
      await queue.add(sweepJobs.name, data, { jobId: name });
      while (!signal.aborted) {
        const job = await queue.getJob(name);
        const state = await job?.getState();
        if (job === undefined || state === "unknown") return { status: "interrupted" };
        if (state === "completed" || state === "failed") {
          const outcome = outcomeOf(state === "failed" ? undefined : job.returnvalue, job.failedReason);
          if (outcome.status === "finished" && runState(root, name, kind) !== "finished")
            unpackRun(outcome.run, join(root, name));
          // Only now: should this process be killed before, the next one finds the answer in the queue.
          await job.remove();
          idleSince = performance.now();
          return outcome;
        }
        await warnWithoutWorkers();
        await sleep(LOOK_MILLISECONDS, undefined, { signal }).catch(() => {});
      }
      // What no worker has begun is taken back; what is under way ends, and its answer waits in the queue.
      const job = await queue.getJob(name);
      if (job !== undefined && (await job.isWaiting())) await job.remove().catch(() => {});
      return { status: "interrupted" };
    },
    close: () => queue.close(),
  };
}

function outcomeOf(value: unknown, failedReason: string | undefined) {
  if (value === undefined) return { status: "failed", reason: failedReason ?? "the job failed" } as const;
  const parsed = SweepResult.safeParse(typeof value === "string" ? JSON.parse(value) : value);
  return parsed.success ? parsed.data : ({ status: "failed", reason: "a worker of another version answered" } as const);
}
