/**
 * Keys token by token. The leaky average needs of a text's past only the average so far, the convolution before it only
 * the last inputs. The formula is in `memory-mosaic/key-extractor.ts`.
 */
import { advanceKeys, linearRecurrence, scaleHeads, spreadHeads } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import type { MemoryMosaicConfig } from "../memory-mosaic/config.js";
import { KeyExtractor, recent } from "../memory-mosaic/key-extractor.js";
import type { Scope } from "../scope.js";
import { Parts } from "./branch.js";
import { Kept } from "./kept.js";
import { lastRows, type Spans } from "./spans.js";
import type { DecodingWeights, LinearMap } from "./weights.js";

/** The average so far [1, width], and the inputs that the convolution still sees [1, < kernel, width]. */
type KeyState = Parts<{ average: Kept<tf.Tensor2D>; inputs: Kept<tf.Tensor3D> }>;

export class IncrementalKeys {
  /** u: the linear map of the recent tokens, [1, rows, kernel · width] → [1, rows, width]. */
  private readonly map: LinearMap;
  /** λ: [heads]. */
  private readonly rate: tf.Tensor1D;
  /** Length of the keys: [heads]. */
  private readonly scale: tf.Tensor1D;

  constructor(
    private readonly config: MemoryMosaicConfig,
    scope: Scope,
    power: 1 | 2,
    weights: DecodingWeights,
  ) {
    const extractor = new KeyExtractor(config, scope, power);
    this.map = weights.product(
      weights.own(() => extractor.weight()),
      extractor.bias(),
    );
    this.scale = weights.own(() => extractor.scale());
    this.rate = weights.own(() => extractor.rate());
  }

  begin(): KeyState {
    return new Parts({ average: new Kept<tf.Tensor2D>(), inputs: new Kept<tf.Tensor3D>() });
  }

  /** [1, rows, width] → [1, rows, width] */
  apply(x: tf.Tensor3D, spans: Spans, states: readonly KeyState[]): tf.Tensor3D {
    const features = this.features(x, spans, states);
    if (!this.config.keyNorm) return scaleHeads(this.averages(features, spans, states), this.scale);
    const parts = spans.split(features).map((rows, text) => {
      const { average } = states[text]!.fields;
      const advanced = advanceKeys(rows, this.rate, this.scale, average.get());
      average.set(advanced.average);
      return advanced.keys;
    });
    return spans.join(parts);
  }

  /** The ablation that leaves the length of keys free. */
  private averages(features: tf.Tensor3D, spans: Spans, states: readonly KeyState[]): tf.Tensor3D {
    const decay = tf.exp(tf.neg(spreadHeads(this.rate, this.config.width)));
    const parts = spans.split(tf.mul<tf.Tensor3D>(features, tf.sub(1, decay))).map((rows, text) => {
      const { average } = states[text]!.fields;
      const averages = linearRecurrence(decay as tf.Tensor1D, rows, average.get());
      average.set(tf.reshape(lastRows(averages, 1), [1, this.config.width]));
      return averages;
    });
    return spans.join(parts);
  }

  private features(x: tf.Tensor3D, spans: Spans, states: readonly KeyState[]): tf.Tensor3D {
    const { keyKernel } = this.config;
    if (keyKernel === 1) return this.map(x);
    const windows = spans.split(x).map((rows, text) => {
      const { inputs } = states[text]!.fields;
      const past = inputs.get();
      const seen = past === undefined ? rows : tf.concat([past, rows], 1);
      inputs.set(lastRows(seen, keyKernel - 1));
      return lastRows(recent(seen, keyKernel), rows.shape[1]);
    });
    return this.map(spans.join(windows));
  }
}
