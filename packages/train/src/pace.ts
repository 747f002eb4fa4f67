/** How fast a training goes, and how long it still takes. */
import type { StepRecord } from "./train-step.js";

export class Pace {
  #started = performance.now();
  #left: number;
  #done = 0;
  #tokens = 0;
  #milliseconds = 0;

  /** @param steps still to do */
  constructor(steps: number) {
    this.#left = steps;
  }

  count({ tokens, milliseconds }: Pick<StepRecord, "tokens" | "milliseconds">): void {
    this.#done++;
    this.#left--;
    this.#tokens += tokens;
    this.#milliseconds += milliseconds;
  }

  /** Since the start, evaluations and checkpoints included. */
  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** Of the steps alone; 0 before the first. */
  get tokensPerSecond(): number {
    return this.#milliseconds === 0 ? 0 : (1000 * this.#tokens) / this.#milliseconds;
  }

  /** At the pace so far; infinite before the first step. */
  get remainingSeconds(): number {
    return this.#done === 0 ? Infinity : (this.seconds / this.#done) * this.#left;
  }
}
