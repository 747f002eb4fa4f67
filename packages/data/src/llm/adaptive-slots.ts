/**
 * How many requests may be under way, found while running: additive increase, multiplicative decrease, as in TCP.
 * The limit doubles per round trip until the server first protests (429, 503), then grows by one per round trip; each
 * protest takes it down by 30 %, at most once per round trip. It also stops growing while answers take much longer than
 * they did at their fastest, since then they only wait in the server's queue.
 */
export interface SlotSettings {
  readonly max: number;
  /** Where to begin. */
  readonly initial?: number;
  /** Growth stops when answers take this many times as long as the fastest did. */
  readonly latencyTolerance?: number;
}

const DECREASE = 0.7;
/** Weight of a new latency in the running average. */
const SMOOTHING = 0.05;

export class AdaptiveSlots {
  readonly #max: number;
  readonly #tolerance: number;
  readonly #waiting: (() => void)[] = [];
  #limit: number;
  #slowStart = true;
  #used = 0;
  #latency: number | undefined;
  #fastest = Number.POSITIVE_INFINITY;
  #lastDecrease = Number.NEGATIVE_INFINITY;

  constructor({ max, initial = 16, latencyTolerance = 4 }: SlotSettings) {
    this.#max = max;
    this.#limit = Math.min(initial, max);
    this.#tolerance = latencyTolerance;
  }

  /** The limit now, at least 1. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  get used(): number {
    return this.#used;
  }

  /** Resolves when there is room; then the caller has a slot. First come, first served. */
  acquire(): Promise<void> {
    if (this.#used < this.limit && this.#waiting.length === 0) {
      this.#used++;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  release(): void {
    this.#used--;
    while (this.#used < this.limit && this.#waiting.length > 0) {
      this.#used++;
      this.#waiting.shift()!();
    }
  }

  /** A whole answer came after so many milliseconds. */
  succeeded(milliseconds: number): void {
    this.#latency =
      this.#latency === undefined ? milliseconds : this.#latency + SMOOTHING * (milliseconds - this.#latency);
    this.#fastest = Math.min(this.#fastest, this.#latency);
    if (this.#latency > this.#tolerance * this.#fastest) this.#slowStart = false;
    else this.#limit = Math.min(this.#max, this.#limit + (this.#slowStart ? 1 : 1 / this.#limit));
  }

  /** @param started when the request was sent that was turned down; requests sent before the last decrease prove nothing new */
  overloaded(started: number, now = performance.now()): void {
    this.#slowStart = false;
    if (started < this.#lastDecrease) return;
    this.#lastDecrease = now;
    this.#limit = Math.max(1, this.#limit * DECREASE);
  }
}
