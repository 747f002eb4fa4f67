/** A model with its tokenizer, under the name that requests call it by. */
import type { Tokenizer } from "@mm/data";
import { createDecoder, type Decoder, type DecodingFormat, type LanguageModel } from "@mm/models";
import { UserError } from "@mm/run";

export interface ServedModel {
  readonly name: string;
  /** When its weights were made. */
  readonly created: Date;
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
}

export interface ServingOptions {
  created?: Date;
  /** How the matrices that are read for every token are kept. */
  weights?: DecodingFormat;
}

/** @throws UserError when the model does not know all of the tokenizer's ids */
export function serveModel(
  name: string,
  model: LanguageModel,
  tokenizer: Tokenizer,
  { created = new Date(), weights = "fp32" }: ServingOptions = {},
): ServedModel {
  if (tokenizer.info.vocabulary > model.config.vocabulary)
    throw new UserError(
      `Expected a tokenizer of at most ${model.config.vocabulary} ids for ${name}, found ${tokenizer.info.name} with ${tokenizer.info.vocabulary}.`,
      { hint: "Choose the tokenizer with which the model was trained." },
    );
  return { name, created, decoder: createDecoder(model, weights), tokenizer };
}
