/**
 * Runs jobs on worker threads and gives the results in the order of the jobs. At most two jobs per worker are under
 * way, and the next job is only asked for when there is room, so that memory stays constant for any number of jobs.
 */
import type { Worker } from "node:worker_threads";
import { spawnWorker } from "@mm/run";

export interface Job {
  readonly message: unknown;
  /** Buffers that move to the worker instead of being copied. */
  readonly transfer: ArrayBuffer[];
}

const JOBS_PER_WORKER = 2;

/**
 * @param entry the worker's file; it answers each message with exactly one
 * @throws whatever a worker throws, or an Error when a worker ends early
 */
export async function* runOrdered<Result>(
  entry: URL,
  jobs: AsyncIterable<Job> | Iterable<Job>,
  workers: number,
): AsyncGenerator<Result> {
  const pool = Array.from({ length: workers }, () => new PoolWorker<Result>(spawnWorker(entry)));
  const pending: Promise<Result>[] = [];
  try {
    let next = 0;
    for await (const { message, transfer } of jobs) {
      const result = pool[next++ % workers]!.run(message, transfer);
      // The failure is met when its turn comes; until then it must not count as unhandled.
      result.catch(() => {});
      pending.push(result);
      if (pending.length >= workers * JOBS_PER_WORKER) yield await pending.shift()!;
    }
    while (pending.length > 0) yield await pending.shift()!;
  } finally {
    await Promise.all(pool.map((worker) => worker.stop()));
  }
}

class PoolWorker<Result> {
  readonly #worker: Worker;
  readonly #waiting: { resolve(result: Result): void; reject(error: unknown): void }[] = [];
  #failure: unknown;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (result: Result) => this.#waiting.shift()?.resolve(result));
    worker.on("error", (error) => this.#fail(error));
    worker.on("exit", (code) => this.#fail(new Error(`a worker thread ended with code ${code}`)));
  }

  run(message: unknown, transfer: ArrayBuffer[]): Promise<Result> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(message, transfer);
    });
  }

  async stop(): Promise<void> {
    this.#worker.removeAllListeners("exit");
    await this.#worker.terminate();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
