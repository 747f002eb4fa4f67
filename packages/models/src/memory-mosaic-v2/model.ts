/**
 * The Memory Mosaics v2 language model: embedding, blocks, layer norm, head. Like v1 it knows no positions.
 *
 * No code of it was at hand and the paper leaves open, so it is decided here: one bandwidth, gate, rate, mix and value
 * scale per head; the training distance of the long-term memory is one number per pass, the same in all blocks; norms
 * are v1's layer norms without bias; logits have no further factor; normal draws beyond three deviations are cut there.
 */
import type * as tf from "@tensorflow/tfjs";
import { type Embed, headedModel } from "../headed-model.js";
import { applyLayerNorm, layerNormParameters } from "../layers/layer-norm.js";
import { type LanguageModel, type Mode, observe } from "../model.js";
import { clippedNormal, type ParameterTable, under } from "../parameters.js";
import { Scope } from "../scope.js";
import { Block } from "./block.js";
import type { MemoryMosaicV2Config } from "./config.js";
import { longReach } from "./contextual-memory.js";

export function memoryMosaicV2Parameters(config: MemoryMosaicV2Config): ParameterTable {
  const { vocabulary, width, blocks, tieWeights } = config;
  const words = { shape: [vocabulary, width], initial: clippedNormal(1 / Math.sqrt(2 * width)) };
  return {
    "emb.weight": words,
    ...Object.assign(
      {},
      ...Array.from({ length: blocks }, (_, i) => under(`blocks.${i}`, Block.parameters(config, i))),
    ),
    ...under("ln_out", layerNormParameters(width, false)),
    ...(tieWeights ? {} : { "head.weight": words }),
  };
}

export function memoryMosaicV2(config: MemoryMosaicV2Config, variables: Record<string, tf.Variable>): LanguageModel {
  const scope = new Scope(variables);
  const blocks = Array.from({ length: config.blocks }, (_, i) => new Block(config, scope.at(`blocks.${i}`)));

  function states(tokens: tf.Tensor2D, mode: Mode, embed: Embed): tf.Tensor3D {
    const embedded = embed(scope.get<tf.Tensor2D>("emb.weight"), tokens) as tf.Tensor3D;
    observe(mode, "embedding", () => embedded);
    const far = longReach(config, mode);
    const last = blocks.reduce((x, block) => block.apply(x, far, mode), embedded);
    observe(mode, "stream", () => last);
    return applyLayerNorm(scope.at("ln_out"), last);
  }

  return headedModel({
    config,
    parameters: memoryMosaicV2Parameters(config),
    variables,
    states,
    head: config.tieWeights ? "emb.weight" : "head.weight",
    logitScale: 1,
    skipTokens: 0,
  });
}
