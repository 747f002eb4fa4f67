/**
 * The Memory Mosaic language model: embedding, blocks, layer norm, head with logits = W x / √width. There is no position
 * encoding of any kind; order enters through the leaky average and the peek. Parameter names are those of the authors.
 */
import type * as tf from "@tensorflow/tfjs";
import { type Embed, headedModel } from "../headed-model.js";
import { applyLayerNorm, layerNormParameters } from "../layers/layer-norm.js";
import { type LanguageModel, type Mode, observe } from "../model.js";
import { normal, type ParameterTable, under } from "../parameters.js";
import { Scope } from "../scope.js";
import { Block } from "./block.js";
import type { MemoryMosaicConfig } from "./config.js";

export function memoryMosaicParameters(config: MemoryMosaicConfig): ParameterTable {
  const { vocabulary, width, blocks, bias, tieWeights } = config;
  const shape = [vocabulary, width];
  const headDeviation = 1 / Math.sqrt(width);
  return {
    "emb.weight": { shape, initial: normal(tieWeights ? headDeviation : 1) },
    ...Object.assign({}, ...Array.from({ length: blocks }, (_, i) => under(`blocks.${i}`, Block.parameters(config)))),
    ...under("ln_out", layerNormParameters(width, bias)),
    ...(tieWeights ? {} : { "head.weight": { shape, initial: normal(headDeviation) } }),
  };
}

export function memoryMosaic(config: MemoryMosaicConfig, variables: Record<string, tf.Variable>): LanguageModel {
  const scope = new Scope(variables);
  const blocks = Array.from({ length: config.blocks }, (_, i) => new Block(config, scope.at(`blocks.${i}`)));

  function states(tokens: tf.Tensor2D, mode: Mode, embed: Embed): tf.Tensor3D {
    const embedded = embed(scope.get<tf.Tensor2D>("emb.weight"), tokens) as tf.Tensor3D;
    observe(mode, "embedding", () => embedded);
    const last = blocks.reduce((x, block) => block.apply(x, mode), embedded);
    observe(mode, "stream", () => last);
    return applyLayerNorm(scope.at("ln_out"), last);
  }

  return headedModel({
    config,
    parameters: memoryMosaicParameters(config),
    variables,
    states,
    head: config.tieWeights ? "emb.weight" : "head.weight",
    logitScale: 1 / Math.sqrt(config.width),
    skipTokens: config.skipTokens,
  });
}
