/** How much one client, and all together, may ask of the server. */

export interface Limits {
  /** Bytes of a request's body. */
  bodyBytes: number;
  /** Tokens of a prompt. */
  promptTokens: number;
  /** Tokens that one choice may add. */
  completionTokens: number;
  /** Choices (prompts × n) of one request. */
  choices: number;
  /** Choices that are being written or wait. */
  concurrent: number;
  /** Requests per minute and client; 0: no limit. */
  requestsPerMinute: number;
}

/** A bucket of requests per client, refilled steadily: bursts up to a minute's worth. */
export class RateLimiter {
  readonly #buckets = new Map<string, { left: number; at: number }>();

  constructor(
    private readonly perMinute: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Takes one request; gives the seconds to wait where there is none left, otherwise 0. */
  take(client: string): number {
    if (this.perMinute === 0) return 0;
    const now = this.now();
    const perMillisecond = this.perMinute / 60_000;
    const known = this.#buckets.get(client) ?? { left: this.perMinute, at: now };
    const left = Math.min(this.perMinute, known.left + (now - known.at) * perMillisecond);
    if (left < 1) return Math.ceil((1 - left) / perMillisecond / 1000);
    if (this.#buckets.size > 10_000) this.#forgetFull(now, perMillisecond);
    this.#buckets.set(client, { left: left - 1, at: now });
    return 0;
  }

  /** Clients whose bucket is full again need not be remembered. */
  #forgetFull(now: number, perMillisecond: number): void {
    for (const [client, { left, at }] of this.#buckets)
      if (left + (now - at) * perMillisecond >= this.perMinute) this.#buckets.delete(client);
  }
}
