/** Which decoder belongs to which model. A model without one is decoded by computing everything anew. */
import { UserError } from "@mm/run";
import type { LanguageModel } from "../model.js";
import type { Decoder } from "./decoder.js";
import { gpt2Decoder } from "./gpt2.js";
import { memoryMosaicDecoder } from "./memory-mosaic.js";
import { memoryMosaicV2Decoder } from "./memory-mosaic-v2.js";
import { recomputingDecoder } from "./recomputing.js";
import { type DecodingFormat, DecodingWeights } from "./weights.js";

/** Kind of model → its incremental decoder. */
export const decoders: Readonly<Record<string, (model: LanguageModel, weights: DecodingWeights) => Decoder>> = {
  "memory-mosaic": memoryMosaicDecoder,
  "memory-mosaic-v2": memoryMosaicV2Decoder,
  gpt2: gpt2Decoder,
};

/**
 * A decoder of the model's present parameters; dispose it before they change or go.
 *
 * @param format how it keeps the matrices that it reads for every token
 * @throws UserError when the model's decoder has no packed weights
 */
export function createDecoder(model: LanguageModel, format: DecodingFormat = "fp32"): Decoder {
  const weights = new DecodingWeights(format);
  const decoder = (decoders[model.name] ?? recomputingDecoder)(model, weights);
  if (format === "fp32" || weights.arePacked) return decoder;
  decoder.dispose();
  throw new UserError(`Expected a model whose decoder keeps weights as ${format}, but a ${model.name} has none.`, {
    hint: "Leave --weights out.",
  });
}
