/**
 * An error caused by what the user gave us (a flag, a file, a machine without memory), not by a bug of ours. Commands
 * print its one sentence and its hint, and exit with code 2; every other error is a bug: stack trace, exit code 70.
 *
 * The message says what was expected, what was found and where; the hint says what to do next.
 */
export class UserError extends Error {
  override readonly name = "UserError";
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
  }
}

/** True for a UserError, also one that crossed a module or realm boundary. */
export function isUserError(error: unknown): error is UserError {
  return error instanceof Error && error.name === "UserError";
}
