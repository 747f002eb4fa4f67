/**
 * The GPT-2 baseline: token and position embeddings, blocks, layer norm, and the token embedding once more as the head
 * (no scale). Parameter names are those of the Memory Mosaics authors' baseline.
 */
import { dropout } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { type Embed, headedModel } from "../headed-model.js";
import { applyLayerNorm, layerNormParameters } from "../layers/layer-norm.js";
import { dropoutAt, type LanguageModel, type Mode, observe } from "../model.js";
import { normal, type ParameterTable, under } from "../parameters.js";
import { Scope } from "../scope.js";
import { Block, DEVIATION } from "./block.js";
import type { Gpt2Config } from "./config.js";

export function gpt2Parameters(config: Gpt2Config): ParameterTable {
  const { vocabulary, contextLength, width, blocks, bias } = config;
  return under("transformer", {
    "wte.weight": { shape: [vocabulary, width], initial: normal(DEVIATION) },
    "wpe.weight": { shape: [contextLength, width], initial: normal(DEVIATION) },
    ...Object.assign({}, ...Array.from({ length: blocks }, (_, i) => under(`h.${i}`, Block.parameters(config)))),
    ...under("ln_f", layerNormParameters(width, bias)),
  });
}

export function gpt2(config: Gpt2Config, variables: Record<string, tf.Variable>): LanguageModel {
  const scope = new Scope(variables).at("transformer");
  const blocks = Array.from({ length: config.blocks }, (_, i) => new Block(config, scope.at(`h.${i}`)));

  function states(tokens: tf.Tensor2D, mode: Mode, embed: Embed): tf.Tensor3D {
    const words = embed(scope.get<tf.Tensor2D>("wte.weight"), tokens);
    const positions = tf.slice(scope.get<tf.Tensor2D>("wpe.weight"), [0, 0], [tokens.shape[1], config.width]);
    const embedded = dropout(tf.add<tf.Tensor3D>(words, positions), dropoutAt(mode, "embedding", config.dropout));
    observe(mode, "embedding", () => embedded);
    const last = blocks.reduce((x, block) => block.apply(x, mode), embedded as tf.Tensor3D);
    observe(mode, "stream", () => last);
    return applyLayerNorm(scope.at("ln_f"), last);
  }

  return headedModel({
    config,
    parameters: gpt2Parameters(config),
    variables,
    states,
    head: "transformer.wte.weight",
    logitScale: 1,
    skipTokens: 0,
  });
}
