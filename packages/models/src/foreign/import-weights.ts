/**
 * Weights that other code wrote: the Memory Mosaics authors' state dicts, nanoGPT's and Hugging Face's GPT-2. What kind they
 * are and how large the model is follows from names and shapes; what does not (such as the number of GPT-2's heads) comes
 * from the file's `config.json` or from the caller.
 */
import { UserError } from "@mm/run";
import type { SafetensorsTensor } from "../safetensors.js";
import { importGpt2 } from "./gpt2.js";
import { importMemoryMosaic } from "./memory-mosaic.js";

export type Tensors = Readonly<Record<string, SafetensorsTensor>>;

export interface ImportedWeights {
  /** Fields of the model's configuration, as far as the weights tell them. */
  config: Record<string, unknown>;
  /** Under our names. */
  tensors: Record<string, SafetensorsTensor>;
}

/** Written in front of names by torch.compile and by data-parallel wrappers. */
const WRAPPERS = /^(_orig_mod\.|module\.)+/;

/** @throws UserError when the names are of no model that is known here */
export function importWeights(tensors: Tensors, source: string): ImportedWeights {
  const unwrapped = Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name.replace(WRAPPERS, ""), tensor]),
  );
  for (const read of [importMemoryMosaic, importGpt2]) {
    const imported = read(unwrapped);
    if (imported !== undefined) return imported;
  }
  const names = Object.keys(tensors).slice(0, 3).join(", ");
  throw new UserError(
    `Expected weights of a Memory Mosaic or a GPT-2 in ${source} but found ${names || "no tensor"} ….`,
    {
      hint: "PyTorch files (.pt, .bin) must be written as .safetensors first, with the safetensors package of Python.",
    },
  );
}
