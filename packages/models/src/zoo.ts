/** The zoo: every model under its name. A new model is one folder and one line here. */
import type { Rng } from "@mm/run";
import type * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import { GlaConfig } from "./baselines/gla/config.js";
import { gla, glaParameters } from "./baselines/gla/model.js";
import { H3Config } from "./baselines/h3/config.js";
import { h3, h3Parameters } from "./baselines/h3/model.js";
import { HyenaConfig } from "./baselines/hyena/config.js";
import { hyena, hyenaParameters } from "./baselines/hyena/model.js";
import { LinearTransformerConfig } from "./baselines/linear-transformer/config.js";
import { linearTransformer, linearTransformerParameters } from "./baselines/linear-transformer/model.js";
import { LstmConfig } from "./baselines/lstm/config.js";
import { lstm, lstmParameters } from "./baselines/lstm/model.js";
import { MambaConfig } from "./baselines/mamba/config.js";
import { mamba, mambaParameters } from "./baselines/mamba/model.js";
import { ModernTransformerConfig } from "./baselines/modern-transformer/config.js";
import { modernTransformer, modernTransformerParameters } from "./baselines/modern-transformer/model.js";
import { RetNetConfig } from "./baselines/retnet/config.js";
import { retnet, retnetParameters } from "./baselines/retnet/model.js";
import { RwkvConfig } from "./baselines/rwkv/config.js";
import { rwkv, rwkvParameters } from "./baselines/rwkv/model.js";
import { S4dConfig } from "./baselines/s4d/config.js";
import { s4d, s4dParameters } from "./baselines/s4d/model.js";
import { TransformerConfig, transformer, transformerParameters } from "./baselines/transformer.js";
import { Gpt2Config } from "./gpt2/config.js";
import { gpt2, gpt2Parameters } from "./gpt2/model.js";
import { MemoryMosaicConfig } from "./memory-mosaic/config.js";
import { memoryMosaic, memoryMosaicParameters } from "./memory-mosaic/model.js";
import { MemoryMosaicV2Config } from "./memory-mosaic-v2/config.js";
import { memoryMosaicV2, memoryMosaicV2Parameters } from "./memory-mosaic-v2/model.js";
import type { LanguageModel } from "./model.js";
import { initialise, type ParameterTable } from "./parameters.js";

interface ModelKind<Config> {
  /** One line for lists. */
  readonly title: string;
  readonly config: z.ZodType<Config>;
  parameters(config: Config): ParameterTable;
  /** Builds the network around existing variables, which it then owns. */
  build(config: Config, variables: Record<string, tf.Variable>): LanguageModel;
  /** Names under which other code also stores a tied parameter. */
  readonly aliases: Readonly<Record<string, string>>;
}

const kind = <Config>(entry: ModelKind<Config>) => entry;

/** The tied head of RegBench's baselines. */
const BACKBONE_ALIASES = { "lm_head.weight": "backbone.embeddings.word_embeddings.weight" };

const BARE_ALIASES = { "lm_head.weight": "embeddings.word_embeddings.weight" };

export const models = {
  "memory-mosaic": kind<MemoryMosaicConfig>({
    title: "Memory Mosaic: contextual and persistent associative memories (arXiv 2405.06394)",
    config: MemoryMosaicConfig,
    parameters: memoryMosaicParameters,
    build: memoryMosaic,
    aliases: { "head.weight": "emb.weight" },
  }),
  "memory-mosaic-v2": kind<MemoryMosaicV2Config>({
    title: "Memory Mosaic v2: short-term, long-term and persistent memories, sharper as they fill (arXiv 2507.03285)",
    config: MemoryMosaicV2Config,
    parameters: memoryMosaicV2Parameters,
    build: memoryMosaicV2,
    aliases: { "head.weight": "emb.weight" },
  }),
  gpt2: kind<Gpt2Config>({
    title: "GPT-2: causal attention and feed-forward networks, learned positions",
    config: Gpt2Config,
    parameters: gpt2Parameters,
    build: gpt2,
    aliases: { "lm_head.weight": "transformer.wte.weight" },
  }),
  s4d: kind<S4dConfig>({
    title: "S4D: a diagonal state-space layer in each block (arXiv 2206.11893)",
    config: S4dConfig,
    parameters: s4dParameters,
    build: s4d,
    aliases: BACKBONE_ALIASES,
  }),
  h3: kind<H3Config>({
    title: "H3: a shift and a diagonal state-space layer with gates (arXiv 2212.14052)",
    config: H3Config,
    parameters: h3Parameters,
    build: h3,
    aliases: BACKBONE_ALIASES,
  }),
  hyena: kind<HyenaConfig>({
    title: "Hyena: long convolutions between gates (arXiv 2302.10866)",
    config: HyenaConfig,
    parameters: hyenaParameters,
    build: hyena,
    aliases: BACKBONE_ALIASES,
  }),
  transformer: kind<TransformerConfig>({
    title: "RegBench's Transformer: causal attention with biases, learned positions (arXiv 2401.12973)",
    config: TransformerConfig,
    parameters: transformerParameters,
    build: transformer,
    aliases: BACKBONE_ALIASES,
  }),
  "linear-transformer": kind<LinearTransformerConfig>({
    title: "RegBench's linear Transformer: attention without softmax and normaliser, learned positions",
    config: LinearTransformerConfig,
    parameters: linearTransformerParameters,
    build: linearTransformer,
    aliases: BACKBONE_ALIASES,
  }),
  retnet: kind<RetNetConfig>({
    title: "RetNet: retention, a linear memory whose heads forget at fixed rates (arXiv 2307.08621)",
    config: RetNetConfig,
    parameters: retnetParameters,
    build: retnet,
    aliases: BACKBONE_ALIASES,
  }),
  gla: kind<GlaConfig>({
    title: "Gated linear attention: a linear memory that forgets as the input says (arXiv 2312.06635)",
    config: GlaConfig,
    parameters: glaParameters,
    build: gla,
    aliases: BACKBONE_ALIASES,
  }),
  rwkv: kind<RwkvConfig>({
    title: "RWKV-4's time mixing, with the sign of the decay as RegBench published it (`decaySign: canonical`)",
    config: RwkvConfig,
    parameters: rwkvParameters,
    build: rwkv,
    aliases: BACKBONE_ALIASES,
  }),
  lstm: kind<LstmConfig>({
    title: "RegBench's LSTM: of its layers only the last one acts, as published (`frame: blocks` stacks them)",
    config: LstmConfig,
    parameters: lstmParameters,
    build: lstm,
    aliases: BARE_ALIASES,
  }),
  "modern-transformer": kind<ModernTransformerConfig>({
    title: "Transformer of today: rotary positions, SwiGLU, RMS norm, no biases (arXiv 2302.13971)",
    config: ModernTransformerConfig,
    parameters: modernTransformerParameters,
    build: modernTransformer,
    aliases: { "output.weight": "tok_embeddings.weight" },
  }),
  mamba: kind<MambaConfig>({
    title:
      "Mamba: of its layers only the last one acts, as in RegBench (`frame: blocks` stacks them; arXiv 2312.00752)",
    config: MambaConfig,
    parameters: mambaParameters,
    build: mamba,
    aliases: BARE_ALIASES,
  }),
};

/** Any model's configuration; `kind` says which. */
export const ModelConfig = z.discriminatedUnion("kind", [
  MemoryMosaicConfig,
  MemoryMosaicV2Config,
  Gpt2Config,
  TransformerConfig,
  LinearTransformerConfig,
  RetNetConfig,
  GlaConfig,
  RwkvConfig,
  LstmConfig,
  MambaConfig,
  ModernTransformerConfig,
  S4dConfig,
  H3Config,
  HyenaConfig,
]);
export type ModelConfig = Readonly<z.output<typeof ModelConfig>>;

/** The member of the zoo that a configuration asks for; sound because `kind` decides the type of both. */
function kindOf(config: ModelConfig): ModelKind<ModelConfig> {
  return models[config.kind] as ModelKind<never> as ModelKind<ModelConfig>;
}

/** A new model with random weights; each parameter is drawn from the fork of `rng` that bears its name. */
export function createModel(config: ModelConfig, rng: Rng): LanguageModel {
  return buildModel(config, initialise(modelParameters(config), rng));
}

/** A model around existing variables, which it then owns. */
export function buildModel(config: ModelConfig, variables: Record<string, tf.Variable>): LanguageModel {
  return kindOf(config).build(config, variables);
}

/** Names, shapes and initial distributions of a model's parameters; makes no tensor. */
export function modelParameters(config: ModelConfig): ParameterTable {
  return kindOf(config).parameters(config);
}

/** Shapes of a model's parameters by name; makes no tensor. */
export function parameterShapes(config: ModelConfig): Record<string, readonly number[]> {
  return Object.fromEntries(Object.entries(modelParameters(config)).map(([name, { shape }]) => [name, shape]));
}

/** Names under which other code also stores a tied parameter: alias → ours. */
export function parameterAliases(config: ModelConfig): Readonly<Record<string, string>> {
  return kindOf(config).aliases;
}
