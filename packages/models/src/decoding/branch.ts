/** What adds to the residual stream, read token by token. */
import type * as tf from "@tensorflow/tfjs";
import type { Spans } from "./spans.js";

/** What a branch keeps of one text. */
export interface BranchState {
  fork(): BranchState;
  dispose(): void;
}

export interface IncrementalBranch<State extends BranchState = BranchState> {
  begin(): State;
  /**
   * @param x the branch's input at the new rows of all texts: [1, rows, width]
   * @param states of these texts, which are updated
   * @returns [1, rows, width]
   */
  apply(x: tf.Tensor3D, spans: Spans, states: readonly State[]): tf.Tensor3D;
}

/** A branch that looks at one row at a time: it keeps nothing. */
export function stateless(apply: (x: tf.Tensor3D) => tf.Tensor3D): IncrementalBranch {
  const nothing: BranchState = { fork: () => nothing, dispose() {} };
  return { begin: () => nothing, apply };
}

/** A state made of parts. */
export class Parts<Fields extends Record<string, BranchState>> implements BranchState {
  constructor(readonly fields: Fields) {}

  fork(): Parts<Fields> {
    const copies = Object.entries(this.fields).map(([name, field]) => [name, field.fork()]);
    return new Parts(Object.fromEntries(copies) as Fields);
  }

  dispose(): void {
    for (const field of Object.values(this.fields)) field.dispose();
  }
}
