/**
 * Contextual memory token by token: each token stores one pair. A value peeks s tokens ahead, so the values of the last s
 * tokens are not complete when they are stored; nobody reads them yet, and they are stored anew with the next tokens.
 */
import { peekValues } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import type { MemoryMosaicConfig } from "../memory-mosaic/config.js";
import { valueScale } from "../memory-mosaic/value-extractor.js";
import type { Scope } from "../scope.js";
import { type IncrementalBranch, Parts } from "./branch.js";
import { Kept } from "./kept.js";
import { IncrementalKeys } from "./keys.js";
import { lastRows, type Spans } from "./spans.js";
import { StoredPairs } from "./stored-pairs.js";
import type { DecodingWeights, LinearMap } from "./weights.js";

/** `peeking`: the values' features of the last s tokens [1, <= s, width]. */
type ContextualState = Parts<{
  keys: ReturnType<IncrementalKeys["begin"]>;
  pairs: StoredPairs;
  peeking: Kept<tf.Tensor3D>;
}>;

export class IncrementalContextualMemory implements IncrementalBranch<ContextualState> {
  private readonly keys: IncrementalKeys;
  /** c and exp(10·value_beta): [heads]. */
  private readonly mix: tf.Tensor1D;
  private readonly scale: tf.Tensor1D;
  private readonly features: LinearMap;
  private readonly output: LinearMap;

  constructor(
    private readonly config: MemoryMosaicConfig,
    scope: Scope,
    weights: DecodingWeights,
  ) {
    this.keys = new IncrementalKeys(config, scope, 1, weights);
    this.mix = weights.own(() =>
      config.peek ? tf.clone(scope.get<tf.Tensor1D>("v_featurizer.coef")) : tf.ones([config.heads]),
    );
    this.scale = weights.own(() => valueScale(scope));
    this.features = weights.map(scope.at("v_featurizer.linear"));
    this.output = weights.map(scope.at("c_proj"));
  }

  begin(): ContextualState {
    // The farthest pair that the model was trained to read.
    const window = this.config.contextLength - 1;
    return new Parts({ keys: this.keys.begin(), pairs: new StoredPairs(window), peeking: new Kept<tf.Tensor3D>() });
  }

  apply(x: tf.Tensor3D, spans: Spans, states: readonly ContextualState[]): tf.Tensor3D {
    const { heads, peekShift } = this.config;
    const keyStates = states.map(({ fields }) => fields.keys);
    const keys = spans.split(this.keys.apply(x, spans, keyStates));
    const features = spans.split(this.features(x));
    const reads = states.map(({ fields: { pairs, peeking } }, text) => {
      const at = spans.past[text]!;
      const before = peeking.get();
      const known = before === undefined ? features[text]! : tf.concat([before, features[text]!], 1);
      const values = peekValues(known, this.mix, this.scale, peekShift);
      pairs.store(at, keys[text]!, values, at - (before?.shape[1] ?? 0));
      peeking.set(lastRows(known, peekShift));
      return pairs.read(keys[text]!, at, { heads, nearest: peekShift });
    });
    return this.output(spans.join(reads));
  }
}
