/** A small random model, the same in every process, that counts the texts whose states it holds. */
import { createModel, type DecoderState, ModelConfig } from "@mm/models";
import { Rng } from "@mm/run";
import { type ServedModel, serveModel } from "../served-model.js";
import { byteTokenizer } from "./byte-tokenizer.js";

export function tinyModel() {
  const config = ModelConfig.parse({
    kind: "memory-mosaic",
    ...{ vocabulary: 260, contextLength: 48, blocks: 1, heads: 2, width: 8, slots: 4 },
  });
  return createModel(config, Rng.fromSeed(1).fork("init"));
}

export function servedTinyModel(): ServedModel & { openStates(): number } {
  const open = new Set<DecoderState>();
  const served = serveModel("tiny", tinyModel(), byteTokenizer, { created: new Date(1_700_000_000_000) });
  const begin = served.decoder.begin.bind(served.decoder);
  served.decoder.begin = () => {
    const state = begin();
    const dispose = state.dispose.bind(state);
    state.dispose = () => {
      open.delete(state);
      dispose();
    };
    open.add(state);
    return state;
  };
  return { ...served, openStates: () => open.size };
}
