/** Causal self-attention token by token: keys and values are stored, and each new query reads all of them. */
import * as tf from "@tensorflow/tfjs";
import type { AttentionNames } from "../layers/attention.js";
import type { Scope } from "../scope.js";
import type { IncrementalBranch } from "./branch.js";
import type { Spans } from "./spans.js";
import { StoredPairs } from "./stored-pairs.js";
import type { DecodingWeights, LinearMap } from "./weights.js";

export class IncrementalAttention implements IncrementalBranch<StoredPairs> {
  private readonly input: LinearMap;
  private readonly output: LinearMap;

  /** @param window how far back a query reads */
  constructor(
    private readonly heads: number,
    private readonly window: number,
    scope: Scope,
    names: AttentionNames,
    weights: DecodingWeights,
  ) {
    this.input = weights.map(scope.at(names.input));
    this.output = weights.map(scope.at(names.output));
  }

  begin(): StoredPairs {
    return new StoredPairs(this.window);
  }

  apply(x: tf.Tensor3D, spans: Spans, states: readonly StoredPairs[]): tf.Tensor3D {
    const { heads } = this;
    const scale = 1 / Math.sqrt(x.shape[2] / heads);
    const projected = tf.split(this.input(x), 3, 2) as tf.Tensor3D[];
    const [queries, keys, values] = projected.map((part) => spans.split(part));
    const reads = states.map((stored, text) => {
      const at = spans.past[text]!;
      stored.store(at, keys![text]!, values![text]!);
      return stored.read(queries![text]!, at, { heads, nearest: 0, scale });
    });
    return this.output(spans.join(reads));
  }
}
