/** A piece of work that is done once: a data set, a training, an evaluation. */
import type { SelectedBackend } from "@mm/ops";
import type { Reporter } from "../reporter.js";

export interface Task {
  /** What it makes, such as a run: unique in a reproduction. */
  readonly name: string;
  /** Asked anew every time: true skips it. */
  done(): boolean;
  /** Does it, or goes on where a kill left it. */
  run(surroundings: Surroundings): Promise<void>;
  readonly cost?: Cost;
}

export interface Surroundings {
  readonly backend: SelectedBackend;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** What a training takes. */
export interface Cost {
  readonly parameters: number;
  /** Training tokens in all. */
  readonly tokens: number;
  /** Floating-point operations in all. */
  readonly flops: number;
  /** Bytes of memory, about. */
  readonly memory: number;
}
