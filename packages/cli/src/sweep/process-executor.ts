/** The in-process queue: a process for each configuration, a few at a time, the cores divided among them. */

import { type Place, runConfiguration } from "./run-configuration.js";
import type { Executor } from "./run-sweep.js";

export interface LocalSettings extends Place {
  readonly sweep: string;
  readonly backend?: string | undefined;
  readonly jobs: number;
  /** Of this machine, or as many of them as the sweep may have. */
  readonly cores: number;
}

export function processExecutor({ jobs, cores, ...place }: LocalSettings): Executor {
  const threads = Math.max(1, Math.floor(cores / jobs));
  return {
    lanes: jobs,
    run: (configuration, signal) => runConfiguration(configuration, { ...place, threads, signal }),
    close: async () => {},
  };
}
