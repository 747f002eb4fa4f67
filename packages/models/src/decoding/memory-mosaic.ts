/** The Memory Mosaic token by token. It knows no positions, so a text may grow without end. */
import { embedding } from "@mm/ops";
import type * as tf from "@tensorflow/tfjs";
import { ATTENTION_NAMES, MLP_NAMES } from "../gpt2/block.js";
import { applyLayerNorm } from "../layers/layer-norm.js";
import type { MemoryMosaicConfig } from "../memory-mosaic/config.js";
import type { LanguageModel } from "../model.js";
import { Scope } from "../scope.js";
import { IncrementalAttention } from "./attention.js";
import { type IncrementalBranch, stateless } from "./branch.js";
import { IncrementalContextualMemory } from "./contextual-memory.js";
import type { Decoder } from "./decoder.js";
import { type Layer, networkDecoder } from "./network.js";
import { IncrementalPersistentMemory } from "./persistent-memory.js";
import type { DecodingWeights } from "./weights.js";

export function memoryMosaicDecoder(model: LanguageModel, weights: DecodingWeights): Decoder {
  const config = model.config as MemoryMosaicConfig;
  const scope = new Scope(model.variables());

  function contextual(block: Scope): IncrementalBranch {
    const attn = block.at("attn");
    if (config.contextualRead === "memory")
      return new IncrementalContextualMemory(config, attn, weights) as IncrementalBranch;
    return new IncrementalAttention(
      config.heads,
      config.contextLength - 1,
      attn,
      ATTENTION_NAMES,
      weights,
    ) as IncrementalBranch;
  }

  function persistent(block: Scope): IncrementalBranch {
    if (config.persistentRead === "memory")
      return new IncrementalPersistentMemory(config, block.at("pmem"), weights) as IncrementalBranch;
    return stateless(weights.mlp(block.at("mlp"), MLP_NAMES));
  }

  const layer = (norm: Scope, branch: IncrementalBranch): Layer => ({
    normalise: (x) => applyLayerNorm(norm, x),
    branch,
    replaces: !config.preNorm,
  });
  const layers = Array.from({ length: config.blocks }, (_, i) => {
    const block = scope.at(`blocks.${i}`);
    const first = layer(block.at("ln1"), contextual(block));
    return config.contextualOnly ? [first] : [first, layer(block.at("ln2"), persistent(block))];
  });

  return networkDecoder(config, {
    embed: (tokens) => embedding(scope.get<tf.Tensor2D>("emb.weight"), tokens) as tf.Tensor3D,
    layers: layers.flat(),
    finish: (x) => applyLayerNorm(scope.at("ln_out"), x),
    head: scope.get<tf.Tensor2D>(config.tieWeights ? "emb.weight" : "head.weight"),
    scale: 1 / Math.sqrt(config.width),
    longest: Number.POSITIVE_INFINITY,
    weights,
  });
}
