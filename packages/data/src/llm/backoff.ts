/** How long to wait before an attempt is repeated. */
export interface BackoffSettings {
  /** Milliseconds. */
  readonly first: number;
  readonly max: number;
}

/** A server's wish is granted up to here. */
const MAX_RETRY_AFTER = 300_000;

/**
 * Full jitter: uniform in [0, min(max, first · 2^failures)], so that requests that failed together do not come back
 * together. Where the server says when to come back, not before that, and spread over a tenth of the time.
 *
 * @param failures attempts that failed before this one, from 0
 * @param random uniform in [0, 1)
 */
export function backoff(
  { first, max }: BackoffSettings,
  failures: number,
  retryAfter: number | undefined,
  random: () => number = Math.random,
): number {
  const own = random() * Math.min(max, first * 2 ** Math.min(failures, 30));
  if (retryAfter === undefined) return own;
  const asked = Math.min(retryAfter, MAX_RETRY_AFTER);
  return asked + random() * Math.max(asked / 10, first);
}
