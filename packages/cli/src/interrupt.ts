import { UserError } from "@mm/run";

/** A signal that aborts at the first Ctrl-C or SIGTERM; a second one ends the process at once. */
export function interruptSignal(onInterrupt: () => void): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
    onInterrupt();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const release = () => {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  };
  return { signal: controller.signal, release };
}

/** Runs work that Ctrl-C ends cleanly; the exit code is then 130. */
export async function interruptible<Result>(
  onInterrupt: () => void,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { signal, release } = interruptSignal(onInterrupt);
  try {
    return await work(signal);
  } finally {
    release();
    if (signal.aborted) process.exitCode = 130;
  }
}

/** @throws UserError when interrupted: what was done so far is kept, and `hint` says how to go on */
export function stopIfInterrupted(signal: AbortSignal, hint: string): void {
  if (signal.aborted) throw new UserError("Interrupted.", { hint });
}
