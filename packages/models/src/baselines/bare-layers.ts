/**
 * The two frames in which RegBench's LSTM and Mamba can stand.
 *
 * `last-layer` is the published one, and the published numbers are its: no norm, no residual, no feed-forward network,
 * no dropout, and every layer is applied to the raw embedding, so that only the last one acts:
 *
 *   logits = E Mixer_L(E[token])
 *
 * The layers before it have parameters but no gradient, which leaves them at their initial values. `blocks` is the proper
 * stack, the frame of all other baselines (`backbone.ts`).
 */
import { embedding } from "@mm/ops";
import type * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import { headedModel } from "../headed-model.js";
import { type LanguageModel, observe } from "../model.js";
import { normal, type ParameterTable, under } from "../parameters.js";
import { Scope } from "../scope.js";
import { allDecayed, backboneModel, backboneParameters, type MixerKind } from "./backbone.js";
import { type BaselineConfig, baselineFields } from "./config.js";

export const bareFields = {
  ...baselineFields,
  frame: z
    .enum(["last-layer", "blocks"])
    .default("last-layer")
    .describe("last-layer: the published wiring, in which only the last layer acts; blocks: a proper stack"),
};

export type BareConfig = BaselineConfig & { readonly frame: "last-layer" | "blocks" };

const EMBEDDING = "embeddings.word_embeddings.weight";

export function bareParameters<Config extends BareConfig>(config: Config, mixer: MixerKind<Config>): ParameterTable {
  if (config.frame === "blocks") return backboneParameters(config, mixer);
  const { vocabulary, width, blocks } = config;
  const layers = Array.from({ length: blocks }, (_, i) => under(`mixer.${i}`, mixer.parameters(config)));
  return allDecayed({
    [EMBEDDING]: { shape: [vocabulary, width], initial: normal(1) },
    ...Object.assign({}, ...layers),
  });
}

export function bareModel<Config extends BareConfig>(
  config: Config,
  mixer: MixerKind<Config>,
  variables: Record<string, tf.Variable>,
): LanguageModel {
  if (config.frame === "blocks") return backboneModel(config, mixer, variables);
  const scope = new Scope(variables);
  const last = scope.at(`mixer.${config.blocks - 1}`);
  const layer = mixer.build(config, last);
  return headedModel({
    config,
    parameters: bareParameters(config, mixer),
    variables,
    states(tokens, mode) {
      const words = embedding(scope.get<tf.Tensor2D>(EMBEDDING), tokens) as tf.Tensor3D;
      observe(mode, "embedding", () => words);
      const states = layer.apply(words, mode);
      observe(mode, last.path("output"), () => states);
      return states;
    },
    head: EMBEDDING,
    logitScale: 1,
    skipTokens: 0,
  });
}
