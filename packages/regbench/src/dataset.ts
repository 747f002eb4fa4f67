/** Problems as training examples. */
import type { Problem } from "./problem.js";

export interface Example {
  readonly tokens: Int32Array;
  /** The next token, −1 where it is not trained. Pad tokens with '.' (0) and targets with −1. */
  readonly targets: Int32Array;
}

export function regbenchDataset(problems: readonly Problem[]): Example[] {
  return problems.map(({ input, labels }) => ({ tokens: input, targets: labels }));
}
