/** Memory Mosaics v2 token by token. It knows no positions and its long-term memory has no end: no text is too long. */
import { embedding } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { applyLayerNorm } from "../layers/layer-norm.js";
import { applyLinear } from "../layers/linear.js";
import type { MemoryMosaicV2Config } from "../memory-mosaic-v2/config.js";
import { longReach, shortReach } from "../memory-mosaic-v2/contextual-memory.js";
import { PersistentMemory } from "../memory-mosaic-v2/persistent-memory.js";
import { inference, type LanguageModel } from "../model.js";
import { Scope } from "../scope.js";
import { type IncrementalBranch, Parts, stateless } from "./branch.js";
import { type ContextualStateV2, IncrementalContextualMemoryV2 } from "./contextual-memory-v2.js";
import type { Decoder } from "./decoder.js";
import { type Layer, networkDecoder } from "./network.js";
import type { Spans } from "./spans.js";

export function memoryMosaicV2Decoder(model: LanguageModel): Decoder {
  const config = model.config as MemoryMosaicV2Config;
  const scope = new Scope(model.variables());
  const layers = Array.from({ length: config.blocks }, (_, i): Layer[] => {
    const block = scope.at(`blocks.${i}`);
    const persistent = new PersistentMemory(block.at("pmem"));
    const layer = (norm: string, branch: IncrementalBranch): Layer => ({
      normalise: (x) => applyLayerNorm(block.at(norm), x),
      branch,
      replaces: false,
    });
    return [
      layer("ln1", new IncrementalReads(config, block) as IncrementalBranch),
      layer(
        "ln2",
        stateless((x) => persistent.apply(x, inference)),
      ),
    ];
  });
  return networkDecoder(config, {
    embed: (tokens) => embedding(scope.get<tf.Tensor2D>("emb.weight"), tokens) as tf.Tensor3D,
    layers: layers.flat(),
    finish: (x) => applyLayerNorm(scope.at("ln_out"), x),
    head: scope.get<tf.Tensor2D>(config.tieWeights ? "emb.weight" : "head.weight"),
    scale: 1,
    longest: Number.POSITIVE_INFINITY,
    owned: [],
  });
}

type ReadsState = Parts<Record<"short" | "long", ContextualStateV2>>;

/** The short-term and the long-term memory of a block, through their common map. */
class IncrementalReads implements IncrementalBranch<ReadsState> {
  private readonly memories: Readonly<Record<string, IncrementalContextualMemoryV2>>;

  constructor(
    config: MemoryMosaicV2Config,
    private readonly scope: Scope,
  ) {
    this.memories = {
      short: new IncrementalContextualMemoryV2(config, scope.at("short"), shortReach(config)),
      ...(config.longTerm && {
        long: new IncrementalContextualMemoryV2(config, scope.at("long"), longReach(config, inference)),
      }),
    };
  }

  begin(): ReadsState {
    const states = Object.entries(this.memories).map(([name, memory]) => [name, memory.begin()]);
    return new Parts(Object.fromEntries(states)) as ReadsState;
  }

  apply(x: tf.Tensor3D, spans: Spans, states: readonly ReadsState[]): tf.Tensor3D {
    const reads = Object.entries(this.memories).map(([name, memory]) => {
      const own = states.map(({ fields }) => fields[name as keyof typeof fields]);
      return memory.apply(x, spans, own);
    });
    return applyLinear(this.scope.at("c_proj"), reads.length === 1 ? reads[0]! : tf.concat(reads, 2));
  }
}
