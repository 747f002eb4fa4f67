/**
 * Time spent per kernel, for `mm train --profile`. Kernels of the CPU run to their end before they return, and while a
 * profile is taken the backend waits for those of a GPU too, so the clock tells all.
 */
export interface KernelTime {
  kernel: string;
  calls: number;
  milliseconds: number;
}

export class KernelProfile {
  #times: Map<string, KernelTime> | undefined;
  #inner = 0;

  get isRunning(): boolean {
    return this.#times !== undefined;
  }

  start(): void {
    this.#times = new Map();
  }

  /** Ends the measurement; the kernel that took longest comes first. */
  stop(): KernelTime[] {
    const times = [...(this.#times?.values() ?? [])];
    this.#times = undefined;
    return times.sort((a, b) => b.milliseconds - a.milliseconds);
  }

  /** Runs `work`; a kernel that calls kernels counts only its own time. */
  measure<T>(kernel: string, work: () => T): T {
    const times = this.#times;
    if (times === undefined) return work();
    const outer = this.#inner;
    this.#inner = 0;
    const begin = performance.now();
    try {
      return work();
    } finally {
      const elapsed = performance.now() - begin;
      const entry = times.get(kernel) ?? { kernel, calls: 0, milliseconds: 0 };
      entry.calls++;
      entry.milliseconds += elapsed - this.#inner;
      times.set(kernel, entry);
      this.#inner = outer + elapsed;
    }
  }
}
