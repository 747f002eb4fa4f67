/** RegBench's baselines: their published configuration fields, ours, and the checks of their golden numbers. */
import { z } from "zod";
import type { MixerKind } from "../baselines/backbone.js";
import { gatedLinearMixer } from "../baselines/gla/model.js";
import { h3Mixer } from "../baselines/h3/model.js";
import { hyenaMixer } from "../baselines/hyena/model.js";
import { linearAttentionMixer } from "../baselines/linear-transformer/model.js";
import { lstmMixer } from "../baselines/lstm/model.js";
import { mambaMixer } from "../baselines/mamba/model.js";
import { retentionMixer } from "../baselines/retnet/model.js";
import { timeMixer } from "../baselines/rwkv/model.js";
import { s4dMixer } from "../baselines/s4d/model.js";
import { attentionMixer } from "../baselines/transformer.js";
import { ModelConfig } from "../zoo.js";
import { baselineParity } from "./baseline.js";
import type { Fixture } from "./fixture.js";

const Published = z.looseObject({
  d_model: z.number(),
  n_layer: z.number(),
  vocab_size: z.number(),
  n_heads: z.number().nullish(),
  max_position_embeddings: z.number().optional(),
});

/** A baseline's configuration without dropout, from the entry of an index; `more` are fields of this kind only. */
function configOf<Kind extends ModelConfig["kind"]>(kind: Kind, { entry }: Fixture, more: object) {
  const theirs = Published.parse(entry["config"]);
  return ModelConfig.parse({
    kind,
    vocabulary: theirs.vocab_size,
    blocks: theirs.n_layer,
    width: theirs.d_model,
    dropout: 0,
    ...(theirs.n_heads == null ? {} : { heads: theirs.n_heads }),
    ...(theirs.max_position_embeddings === undefined ? {} : { contextLength: theirs.max_position_embeddings }),
    ...more,
  }) as Extract<ModelConfig, { kind: Kind }>;
}

function parityOf<Kind extends ModelConfig["kind"]>(
  kind: Kind,
  mixer: MixerKind<Extract<ModelConfig, { kind: Kind }>>,
  more: (theirs: Record<string, unknown>) => object = () => ({}),
) {
  return baselineParity((fixture) => configOf(kind, fixture, more(fixture.entry["config"] as never)), mixer);
}

const stateSize = ({ d_state }: Record<string, unknown>) => ({ stateSize: d_state });

const mambaFields = (theirs: Record<string, unknown>) => ({
  ...stateSize(theirs),
  expansion: theirs["expand"],
  convolutionLength: theirs["d_conv"],
});

export const baselineKinds = {
  zoo_transformer: parityOf("transformer", attentionMixer),
  zoo_linear_transformer: parityOf("linear-transformer", linearAttentionMixer),
  zoo_gla: parityOf("gla", gatedLinearMixer),
  zoo_lstm: parityOf("lstm", lstmMixer),
  zoo_rwkv: parityOf("rwkv", timeMixer),
  zoo_rwkv_canonical: parityOf("rwkv", timeMixer, () => ({ decaySign: "canonical" })),
  zoo_retnet: parityOf("retnet", retentionMixer),
  zoo_s4d: parityOf("s4d", s4dMixer, stateSize),
  zoo_h3: parityOf("h3", h3Mixer, stateSize),
  zoo_hyena: parityOf("hyena", hyenaMixer, (theirs) => ({
    filterWidth: theirs["filter_order"],
    filterLength: theirs["l_max"],
  })),
  zoo_mamba: parityOf("mamba", mambaMixer, mambaFields),
  zoo_mamba_stack: parityOf("mamba", mambaMixer, (theirs) => ({ ...mambaFields(theirs), frame: "blocks" })),
};
