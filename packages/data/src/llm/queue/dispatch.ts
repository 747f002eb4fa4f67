/**
 * Hands requests to workers through a queue and waits for their outcomes. A job's name is made of the corpus and the
 * request's number, so that a request is in the queue once, whoever puts it there; its outcome stays in Redis until it is
 * in the journal. So a process that is killed and started again finds what workers did meanwhile, and a job whose worker
 * was killed goes to another worker.
 */
import type { Queue, QueueEvents } from "bullmq";
import { type CompletionRequest, Outcome } from "../completion.js";
import { PutOff } from "../completion-runner.js";
import type { EndpointConfig, LimitsConfig } from "../endpoint.js";
import type { Executor } from "../generate.js";
import { type CompletionJob, completionJobs } from "./completion-jobs.js";
import { checkRedis, describePlace, loadBullmq, parseRedisUrl, queueName } from "./connection.js";

export interface QueueSettings {
  readonly url: string;
  /** Names the corpus, the stage and its settings, the same each time; letters, digits and hyphens. */
  readonly run: string;
  readonly endpoint: EndpointConfig;
  readonly limits: LimitsConfig;
  /** Told when jobs wait and there is no worker. */
  readonly onIdle?: (hint: string) => void;
}

/** Jobs in the queue at once: enough for many workers, little enough for Redis. */
const WINDOW = 4096;
const SWEEP_MILLISECONDS = 2000;
const PAGE = 500;

interface Waiter {
  resolve(outcome: Outcome): void;
  reject(error: Error): void;
}

export interface QueueExecutor extends Executor {
  close(): Promise<void>;
}

/** @throws UserError when there is no Redis */
export async function queueExecutor(settings: QueueSettings): Promise<QueueExecutor> {
  const place = parseRedisUrl(settings.url);
  await checkRedis(place);
  const { Queue, QueueEvents } = await loadBullmq();
  const name = queueName(completionJobs.name);
  // Waits for Redis to come back rather than fail.
  const connection = { ...place, maxRetriesPerRequest: null };
  const executor = new Dispatcher(
    new Queue(name, { connection }),
    new QueueEvents(name, { connection }),
    settings,
    `no worker takes jobs from ${describePlace(place)}; start one with: mm worker --queue …`,
  );
  await executor.start();
  return executor;
}

class Dispatcher implements QueueExecutor {
  readonly window = WINDOW;
  readonly #queue: Queue;
  readonly #events: QueueEvents;
  readonly #settings: QueueSettings;
  readonly #idleHint: string;
  readonly #waiting = new Map<string, Waiter>();
  /** Outcomes of jobs that an earlier process put into the queue. */
  readonly #arrived = new Map<string, Outcome>();
  #sweeper: NodeJS.Timeout | undefined;
  #lastOutcome = performance.now();

  constructor(queue: Queue, events: QueueEvents, settings: QueueSettings, idleHint: string) {
    this.#queue = queue;
    this.#events = events;
    this.#settings = settings;
    this.#idleHint = idleHint;
    // Connections are tried again by themselves.
    queue.on("error", () => {});
    events.on("error", () => {});
    events.on("completed", ({ jobId, returnvalue }) => this.#completed(jobId, returnvalue));
    events.on("failed", ({ jobId, failedReason }) => this.#failed(jobId, failedReason));
  }

  get active(): number {
    return this.#waiting.size;
  }

  async start(): Promise<void> {
    await this.#events.waitUntilReady();
    const ours = (name: string) => name.startsWith(`${this.#settings.run}-`);
    await this.#sweep(ours);
    await this.#withdraw(ours);
    this.#scheduleSweep();
  }

  async run(request: CompletionRequest, signal: AbortSignal): Promise<Outcome> {
    const name = this.#nameOf(request.id);
    const arrived = this.#arrived.get(name);
    if (arrived !== undefined) {
      this.#arrived.delete(name);
      return arrived;
    }
    const outcome = new Promise<Outcome>((resolve, reject) => this.#waiting.set(name, { resolve, reject }));
    outcome.catch(() => {});
    const abort = () => this.#waiting.get(name)?.reject(new Error("aborted"));
    signal.addEventListener("abort", abort);
    try {
      signal.throwIfAborted();
      const { endpoint, limits } = this.#settings;
      const job: CompletionJob = { request, endpoint, limits };
      await this.#queue.add(completionJobs.name, job, {
        jobId: name,
        attempts: 3,
        backoff: { type: "fixed", delay: 100 },
      });
      return await outcome;
    } finally {
      this.#waiting.delete(name);
      signal.removeEventListener("abort", abort);
    }
  }

  async acknowledge(id: number): Promise<void> {
    this.#arrived.delete(this.#nameOf(id));
    await this.#queue.remove(this.#nameOf(id));
  }

  async close(): Promise<void> {
    clearTimeout(this.#sweeper);
    // A sweep under way must not plan the next one.
    this.#sweeper = undefined;
    await Promise.all([this.#queue.close(), this.#events.close()]);
  }

  #nameOf(id: number): string {
    return `${this.#settings.run}-${id}`;
  }

  /** @param value JSON, or already parsed, depending on where it comes from */
  #completed(name: string, value: unknown): void {
    const run = name.slice(0, name.lastIndexOf("-"));
    if (run !== this.#settings.run) return;
    const parsed = Outcome.safeParse(typeof value === "string" ? JSON.parse(value) : value);
    if (!parsed.success) {
      this.#failed(name, "a worker of another version answered");
      return;
    }
    this.#lastOutcome = performance.now();
    const waiter = this.#waiting.get(name);
    if (waiter === undefined) this.#arrived.set(name, parsed.data);
    else waiter.resolve(parsed.data);
  }

  /** The job goes, so that the request can be put into the queue again. */
  #failed(name: string, reason: string): void {
    const waiter = this.#waiting.get(name);
    if (waiter === undefined) return;
    this.#queue.remove(name).then(
      () => waiter.reject(new PutOff(reason, 0, {})),
      (error: Error) => waiter.reject(error),
    );
  }

  /** Jobs that an earlier process left may name a server that is not there any more; they are put in anew. */
  async #withdraw(ours: (name: string) => boolean): Promise<void> {
    for (const job of await this.#queue.getJobs(["waiting", "delayed"])) {
      // One that a worker has just taken stays.
      if (job?.id !== undefined && ours(job.id)) await this.#queue.remove(job.id).catch(() => {});
    }
  }

  #scheduleSweep(): void {
    this.#sweeper = setTimeout(() => {
      this.#sweep((name) => this.#waiting.has(name))
        .catch(() => {})
        .finally(() => {
          if (this.#sweeper !== undefined) this.#scheduleSweep();
        });
    }, SWEEP_MILLISECONDS);
  }

  /** Events can be lost, when Redis restarts or this process is slow; what is done stays in the queue. */
  async #sweep(wanted: (name: string) => boolean): Promise<void> {
    for (const state of ["completed", "failed"] as const) {
      for (let start = 0; ; start += PAGE) {
        const jobs = await this.#queue.getJobs([state], start, start + PAGE - 1, true);
        for (const job of jobs) {
          if (job?.id === undefined || !wanted(job.id)) continue;
          if (state === "completed") this.#completed(job.id, job.returnvalue);
          else if (this.#waiting.has(job.id)) this.#failed(job.id, job.failedReason);
          else await this.#queue.remove(job.id);
        }
        if (jobs.length < PAGE) break;
      }
    }
    const idle = performance.now() - this.#lastOutcome > 15_000;
    if (idle && this.#waiting.size > 0 && (await this.#queue.getWorkersCount()) === 0) {
      this.#lastOutcome = performance.now();
      this.#settings.onIdle?.(this.#idleHint);
    }
  }
}
