/** Sends requests out and writes their outcomes to a journal; each request is asked until it is settled, and not again. */
import { UserError } from "@mm/run";
import type { CompletionRequest, Outcome } from "./completion.js";
import { type CompletionRunner, PutOff } from "./completion-runner.js";
import type { Journal } from "./journal.js";
import type { Tally } from "./tally.js";

/** Whoever answers requests: this process, or workers behind a queue. */
export interface Executor {
  /** Requests handed over at once, at most. */
  readonly window: number;
  /** @throws PutOff when the request may succeed later */
  run(request: CompletionRequest, signal: AbortSignal): Promise<Outcome>;
  /** The outcome is on the disk; the executor may forget it. */
  acknowledge?(id: number): Promise<void>;
  /** Requests that wait for an answer right now, for the progress display. */
  readonly active: number;
}

export interface GenerateOptions {
  /** Requests in order; called once per round. */
  readonly requests: () => AsyncIterable<CompletionRequest> | Iterable<CompletionRequest>;
  readonly journal: Journal;
  readonly tally: Tally;
  /** How often requests that were put off are tried again. */
  readonly rounds: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (() => void) | undefined;
}

/** Answers requests in this process. */
export function localExecutor(runner: CompletionRunner, window: number): Executor {
  return {
    window,
    run: (request, signal) => runner.run(request, signal),
    get active() {
      return runner.slots.used;
    },
  };
}

/**
 * Memory does not grow with the number of requests: at most `executor.window` are under way.
 *
 * @throws UserError when requests stay open after all rounds, when none can succeed, or when interrupted; all that was
 *   answered until then is in the journal
 */
export async function generateAll(executor: Executor, options: GenerateOptions): Promise<void> {
  let open = { count: 0, reason: "" };
  for (let round = 0; round < options.rounds; round++) {
    open = await oneRound(executor, options);
    if (open.count === 0) return;
  }
  throw new UserError(
    `Expected all requests to be answered but ${open.count} failed every time; last: ${open.reason}.`,
    {
      hint: "What is written is kept; run the same command again to ask for the rest.",
    },
  );
}

async function oneRound(executor: Executor, options: GenerateOptions): Promise<{ count: number; reason: string }> {
  const { journal, tally, signal, onProgress } = options;
  const stop = new AbortController();
  const abort = () => stop.abort();
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);
  const open = { count: 0, reason: "" };
  let failure: unknown;
  let underWay = 0;
  let wake: (() => void) | undefined;
  const one = async (request: CompletionRequest) => {
    try {
      const outcome = await executor.run(request, stop.signal);
      if (journal.append(outcome)) tally.add(outcome);
      await executor.acknowledge?.(outcome.id);
      onProgress?.();
    } catch (error) {
      if (error instanceof PutOff) {
        open.count++;
        open.reason = error.message;
        tally.requests += error.requests;
        tally.addFaults(error.faults);
      } else {
        if (!stop.signal.aborted) failure = error;
        stop.abort();
      }
    } finally {
      underWay--;
      wake?.();
    }
  };
  const until = async (room: () => boolean) => {
    while (!room()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  try {
    for await (const request of options.requests()) {
      if (stop.signal.aborted) break;
      if (journal.has(request.id)) continue;
      await until(() => underWay < executor.window);
      if (stop.signal.aborted) break;
      underWay++;
      void one(request);
    }
  } catch (error) {
    failure ??= error;
    stop.abort();
  }
  await until(() => underWay === 0);
  signal?.removeEventListener("abort", abort);
  if (failure !== undefined) throw failure;
  if (signal?.aborted) {
    throw new UserError("Interrupted.", { hint: "What is written is kept; run the same command again to go on." });
  }
  return open;
}
