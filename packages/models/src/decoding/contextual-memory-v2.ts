/**
 * A contextual memory of v2 token by token. Of a text's past its keys need the average so far, its reads the pairs: the
 * short-term memory the h − 1 newest, the long-term memory all of them, however long the text. The value of the last
 * token is not complete when it is stored; nobody reads it yet, and it is stored anew with the next one.
 */
import { linearRecurrence } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import type { MemoryMosaicV2Config } from "../memory-mosaic-v2/config.js";
import { ContextualMemory, PEEK, type Reach } from "../memory-mosaic-v2/contextual-memory.js";
import type { Scope } from "../scope.js";
import { Parts } from "./branch.js";
import { Kept } from "./kept.js";
import { lastRows, type Spans } from "./spans.js";
import { StoredPairs } from "./stored-pairs.js";

/** `average` [1, width]; `peeking`: the value's features of the last token [1, 1, width]. */
export type ContextualStateV2 = Parts<{
  average: Kept<tf.Tensor2D>;
  pairs: StoredPairs;
  peeking: Kept<tf.Tensor3D>;
}>;

export class IncrementalContextualMemoryV2 {
  private readonly memory: ContextualMemory;

  constructor(
    private readonly config: MemoryMosaicV2Config,
    scope: Scope,
    private readonly reach: Reach,
  ) {
    this.memory = new ContextualMemory(config, scope);
  }

  begin(): ContextualStateV2 {
    const pairs = new StoredPairs(this.reach.farthest ?? Number.POSITIVE_INFINITY);
    return new Parts({ average: new Kept<tf.Tensor2D>(), pairs, peeking: new Kept<tf.Tensor3D>() });
  }

  /** The read at the new rows of all texts: [1, rows, width] → [1, rows, width]. */
  apply(x: tf.Tensor3D, spans: Spans, states: readonly ContextualStateV2[]): tf.Tensor3D {
    const { heads, width } = this.config;
    const steps = this.memory.keys.steps(x);
    const [decays, inputs] = [spans.split(steps.decay), spans.split(steps.input)];
    const features = spans.split(this.memory.features(x));
    const reads = states.map(({ fields: { average, pairs, peeking } }, text) => {
      const at = spans.past[text]!;
      const averages = linearRecurrence(decays[text]!, inputs[text]!, average.get());
      average.set(tf.reshape(lastRows(averages, 1), [1, width]));
      const keys = this.memory.keys.unit(averages);
      const before = peeking.get();
      const known = before === undefined ? features[text]! : tf.concat([before, features[text]!], 1);
      pairs.store(at, keys, this.memory.values(known), at - (before?.shape[1] ?? 0));
      peeking.set(lastRows(known, PEEK));
      return pairs.read(this.memory.queries(keys, at, this.reach), at, { heads, nearest: this.reach.nearest });
    });
    return spans.join(reads);
  }
}
