/** A trained model with its tokenizer, from a run or from a file of weights. */
import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { gpt2Tokenizer, readDatasetInfo, type Tokenizer, tokenizerFor } from "@mm/data";
import { type LanguageModel, loadModel } from "@mm/models";
import { RunFolder, UserError } from "@mm/run";
import { bestCheckpoint, latestCheckpoint } from "@mm/train";

export interface OpenedRun {
  name: string;
  model: LanguageModel;
  tokenizer: Tokenizer;
  /** Where the weights were read. */
  weights: string;
  created: Date;
}

/**
 * The model of a run (its best checkpoint, or else its latest), or of a .safetensors file, whose tokenizer is GPT-2's
 * unless `dataset` names another.
 *
 * @throws UserError when there is no checkpoint, or no tokenizer is known
 */
export function openRun(path: string, { dataset }: { dataset?: string | undefined } = {}): OpenedRun {
  const { weights, name, trainedOn } = weightsOf(path);
  const model = loadModel(weights);
  try {
    const tokenizer = tokenizerOf(dataset ?? trainedOn, model.config.vocabulary);
    return { name, model, tokenizer, weights, created: statSync(weights).mtime };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** Where the weights of a run or of a .safetensors file are. */
export function weightsOf(path: string): { weights: string; name: string; trainedOn?: string | undefined } {
  return path.endsWith(".safetensors") ? fileOf(path) : checkpointOf(path);
}

/** The weights of a run's best checkpoint, or else of its latest. */
export function checkpointOf(path: string): { weights: string; name: string; trainedOn?: string | undefined } {
  const run = RunFolder.open(path);
  const checkpoint = bestCheckpoint(run.checkpointFolder) ?? latestCheckpoint(run.checkpointFolder);
  if (checkpoint === undefined)
    throw new UserError(`Expected a checkpoint in ${path} but found none.`, {
      hint: `Train it first: mm train --resume ${path}`,
    });
  const { dataset } = run.config as { dataset?: string };
  return { weights: join(checkpoint.path, "model.safetensors"), name: run.name, trainedOn: dataset };
}

function fileOf(path: string): { weights: string; name: string; trainedOn?: undefined } {
  return { weights: path, name: basename(path, ".safetensors") };
}

function tokenizerOf(dataset: string | undefined, vocabulary: number): Tokenizer {
  if (dataset !== undefined) return tokenizerFor(readDatasetInfo(dataset).tokenizer);
  const tokenizer = gpt2Tokenizer();
  if (tokenizer.info.vocabulary <= vocabulary) return tokenizer;
  throw new UserError(`Expected a tokenizer for ${vocabulary} ids but the file names none.`, {
    hint: "Name a dataset that was made with it: --dataset datasets/NAME.",
  });
}
