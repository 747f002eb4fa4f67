/**
 * Stops asking a server that fails every time. After `breakAfter` failures in a row all requests wait; then one goes
 * ahead to see: when it succeeds all go on, when it fails the wait doubles. After `patience` without a success there is
 * no hope left.
 */
import { setTimeout as sleep } from "node:timers/promises";

export interface BreakerSettings {
  readonly breakAfter: number;
  /** Milliseconds of the first wait. */
  readonly firstWait: number;
  readonly maxWait: number;
  /** Milliseconds without any success. */
  readonly patience: number;
}

export class CircuitBreaker {
  readonly #settings: BreakerSettings;
  #failures = 0;
  #failingSince: number | undefined;
  #wait: number;
  /** Settled when the request that was sent ahead has come back. */
  #probe: { done: Promise<void>; finish(): void } | undefined;
  /** How often the breaker opened. */
  trips = 0;

  constructor(settings: BreakerSettings) {
    this.#settings = settings;
    this.#wait = settings.firstWait;
  }

  get open(): boolean {
    return this.#failures >= this.#settings.breakAfter;
  }

  /** True when the server has failed for longer than the patience lasts. */
  get hopeless(): boolean {
    return this.open && performance.now() - this.#failingSince! > this.#settings.patience;
  }

  /** Resolves when a request may be sent. */
  async pass(signal?: AbortSignal): Promise<void> {
    while (this.open) {
      if (this.#probe === undefined) {
        let finish = () => {};
        const done = new Promise<void>((resolve) => {
          finish = resolve;
        });
        this.#probe = { done, finish };
        await sleep(this.#wait, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
          this.#endProbe();
          throw error;
        });
        return;
      }
      await this.#probe.done;
      signal?.throwIfAborted();
    }
  }

  succeeded(): void {
    this.#failures = 0;
    this.#failingSince = undefined;
    this.#wait = this.#settings.firstWait;
    this.#endProbe();
  }

  failed(): void {
    this.#failures++;
    this.#failingSince ??= performance.now();
    if (this.#failures === this.#settings.breakAfter) this.trips++;
    else if (this.open) this.#wait = Math.min(2 * this.#wait, this.#settings.maxWait);
    this.#endProbe();
  }

  /** A request that passed ended without saying anything about the server (it was aborted). */
  abandoned(): void {
    this.#endProbe();
  }

  #endProbe(): void {
    this.#probe?.finish();
    this.#probe = undefined;
  }
}
