/** Persistent memory token by token: only its keys have a past. */
import { scaleHeads } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import type { MemoryMosaicConfig } from "../memory-mosaic/config.js";
import { valueScale } from "../memory-mosaic/value-extractor.js";
import type { Scope } from "../scope.js";
import type { IncrementalBranch } from "./branch.js";
import { IncrementalKeys } from "./keys.js";
import type { Spans } from "./spans.js";
import type { DecodingWeights, LinearMap, SlotRead } from "./weights.js";

type KeyState = ReturnType<IncrementalKeys["begin"]>;

export class IncrementalPersistentMemory implements IncrementalBranch<KeyState> {
  private readonly keys: IncrementalKeys;
  private readonly banks: readonly SlotRead[];
  /** exp(10·value_beta): [heads]. */
  private readonly scale: tf.Tensor1D;
  private readonly output: LinearMap;

  constructor(config: MemoryMosaicConfig, scope: Scope, weights: DecodingWeights) {
    this.keys = new IncrementalKeys(config, scope, 2, weights);
    this.banks = Array.from({ length: config.persistentBanks }, (_, r) =>
      weights.slots(scope.get(`pmem.M_k${r}`), scope.get(`pmem.M_v${r}`)),
    );
    this.scale = weights.own(() => valueScale(scope));
    this.output = weights.map(scope.at("c_proj"));
  }

  begin(): KeyState {
    return this.keys.begin();
  }

  apply(x: tf.Tensor3D, spans: Spans, states: readonly KeyState[]): tf.Tensor3D {
    const keys = this.keys.apply(x, spans, states);
    const reads = this.banks.map((read) => read(keys));
    const mean = reads.length === 1 ? reads[0]! : tf.div<tf.Tensor3D>(tf.addN(reads), reads.length);
    return this.output(scaleHeads(mean, this.scale));
  }
}
