/** RegBench's Transformer: softmax attention with biases, learned positions. */
import type * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import { Attention, attentionParameters } from "../layers/attention.js";
import { backboneModel, backboneParameters, DEVIATION, type MixerKind, outputDeviation } from "./backbone.js";
import { baselineFields } from "./config.js";

export const TransformerConfig = z
  .strictObject({
    kind: z.literal("transformer"),
    ...baselineFields,
    heads: z.int().positive().default(2).describe("attention heads"),
  })
  .refine((config) => config.width % config.heads === 0, {
    path: ["heads"],
    error: "expected a divisor of the width",
  });

export type TransformerConfig = Readonly<z.output<typeof TransformerConfig>>;

const NAMES = { input: "Wqkv", output: "out_proj" };

export const attentionMixer: MixerKind<TransformerConfig> = {
  positions: true,
  parameters: (config) =>
    attentionParameters({ width: config.width, bias: true }, [DEVIATION, outputDeviation(config)], NAMES),
  build: (config, scope) => new Attention(config.heads, config.dropout, scope, NAMES),
};

export const transformerParameters = (config: TransformerConfig) => backboneParameters(config, attentionMixer);

export const transformer = (config: TransformerConfig, variables: Record<string, tf.Variable>) =>
  backboneModel(config, attentionMixer, variables);
