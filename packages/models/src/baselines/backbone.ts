/**
 * The frame that RegBench's baselines share (Akyürek et al., "In-context language learning", arXiv 2401.12973): a mixer of
 * tokens and a feed-forward network in each block,
 *
 *   r = dropout(E[token] + P[position]);  r ← r + Mixer(norm1(r));  r ← r + Mlp(norm2(r));  logits = E ln_f(r)
 *
 * Positions are for mixers that do not know the order of tokens. Parameter names are those of the published code.
 */
import { dropout, embedding } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { headedModel } from "../headed-model.js";
import { applyLayerNorm, layerNormParameters } from "../layers/layer-norm.js";
import { Mlp, mlpParameters } from "../layers/mlp.js";
import { dropoutAt, type LanguageModel, type Mode, observe } from "../model.js";
import { normal, type ParameterTable, under } from "../parameters.js";
import { Scope } from "../scope.js";
import type { BaselineConfig } from "./config.js";

/** Mixes each token's representation with those before it: [batch, time, width] → [batch, time, width]. */
export interface Mixer {
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D;
}

/** One architecture: what its mixer is made of. */
export interface MixerKind<Config> {
  /** Whether learned positions are added to the embedding. */
  readonly positions: boolean;
  parameters(config: Config): ParameterTable;
  build(config: Config, scope: Scope): Mixer;
}

const MLP_NAMES = { input: "fc1", output: "fc2" };

/** Deviation of all initial matrices, and of those that write to the residual stream. */
export const DEVIATION = 0.02;
export const outputDeviation = ({ blocks }: { blocks: number }) => DEVIATION / Math.sqrt(2 * blocks);

export function backboneParameters<Config extends BaselineConfig>(
  config: Config,
  mixer: MixerKind<Config>,
): ParameterTable {
  const { vocabulary, contextLength, width, blocks } = config;
  const norm = layerNormParameters(width, true);
  const block = {
    ...under("norm1", norm),
    ...under("mixer", mixer.parameters(config)),
    ...under("norm2", norm),
    ...under("mlp", mlpParameters({ width, bias: true }, [DEVIATION, outputDeviation(config)], MLP_NAMES)),
  };
  const positions = { shape: [contextLength, width], initial: normal(DEVIATION) };
  const table = under("backbone", {
    "embeddings.word_embeddings.weight": { shape: [vocabulary, width], initial: normal(DEVIATION) },
    ...(mixer.positions ? { "embeddings.position_embeddings.weight": positions } : {}),
    ...Object.assign({}, ...Array.from({ length: blocks }, (_, i) => under(`layers.${i}`, block))),
    ...under("ln_f", norm),
  });
  return allDecayed(table);
}

/** RegBench decays vectors too: everything but what a mixer exempts (`decayed: false`). */
export function allDecayed(table: ParameterTable): ParameterTable {
  return Object.fromEntries(Object.entries(table).map(([name, parameter]) => [name, { decayed: true, ...parameter }]));
}

export function backboneModel<Config extends BaselineConfig>(
  config: Config,
  mixer: MixerKind<Config>,
  variables: Record<string, tf.Variable>,
): LanguageModel {
  const scope = new Scope(variables).at("backbone");
  const blocks = Array.from({ length: config.blocks }, (_, i) => {
    const part = scope.at(`layers.${i}`);
    return { scope: part, mixer: mixer.build(config, part.at("mixer")), mlp: new Mlp(part.at("mlp"), MLP_NAMES) };
  });

  function embedded(tokens: tf.Tensor2D, mode: Mode): tf.Tensor3D {
    const words = embedding(scope.get<tf.Tensor2D>("embeddings.word_embeddings.weight"), tokens) as tf.Tensor3D;
    const positions = scope.find<tf.Tensor2D>("embeddings.position_embeddings.weight");
    const placed = positions ? tf.add(words, tf.slice(positions, [0, 0], [tokens.shape[1], config.width])) : words;
    return dropout(placed as tf.Tensor3D, dropoutAt(mode, "embedding", config.dropout));
  }

  function states(tokens: tf.Tensor2D, mode: Mode): tf.Tensor3D {
    let stream = embedded(tokens, mode);
    observe(mode, "embedding", () => stream);
    for (const block of blocks) {
      const mixed = block.mixer.apply(applyLayerNorm(block.scope.at("norm1"), stream), mode);
      observe(mode, block.scope.path("mixer.output"), () => mixed);
      stream = tf.add(stream, mixed);
      stream = tf.add(stream, block.mlp.apply(applyLayerNorm(block.scope.at("norm2"), stream), mode));
    }
    observe(mode, "stream", () => stream);
    return applyLayerNorm(scope.at("ln_f"), stream);
  }

  return headedModel({
    config,
    parameters: backboneParameters(config, mixer),
    variables,
    states,
    head: "backbone.embeddings.word_embeddings.weight",
    logitScale: 1,
    skipTokens: 0,
  });
}
