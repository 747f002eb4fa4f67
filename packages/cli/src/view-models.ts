/** The models that a viewer can look into: those of runs with a checkpoint, and files of weights. */
import { basename } from "node:path";
import { consecutiveBatch, consecutiveWindows, openDataset, type Tokenizer } from "@mm/data";
import { isInspectable, type LanguageModel } from "@mm/models";
import { isUserError, listRuns, RunFolder } from "@mm/run";
import { checkpointOf, openRun } from "./open-run.js";

export interface ModelPlace {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  /** Folder of a run, or a .safetensors file. */
  readonly path: string;
}

/** Texts of the validation data in which slots are looked for: how many, and the most tokens of each. */
const SAMPLE_TEXTS = 24;
const SAMPLE_TOKENS = 128;

/** What was named, then every run below `runs` whose model can be looked into, newest first. */
export function modelPlaces(runs: string, named: readonly string[]): ModelPlace[] {
  const found = listRuns(runs)
    .filter((run) => isInspectable(kindOf(run)) && hasCheckpoint(run.path))
    .sort((a, b) => (a.provenance.date < b.provenance.date ? 1 : -1))
    .map((run) => run.path);
  return [...new Set([...named, ...found])].map((path) => ({
    id: path,
    name: basename(path, ".safetensors"),
    kind: path.endsWith(".safetensors") ? "" : kindOf(RunFolder.open(path)),
    path,
  }));
}

function kindOf({ config }: RunFolder): string {
  return (config as { model?: { kind?: string } } | null)?.model?.kind ?? "";
}

function hasCheckpoint(path: string): boolean {
  try {
    checkpointOf(path);
    return true;
  } catch (error) {
    if (isUserError(error)) return false;
    throw error;
  }
}

/** What changes when a run has newer weights. */
export function versionOf({ path }: ModelPlace): string {
  return path.endsWith(".safetensors") ? path : checkpointOf(path).weights;
}

export interface OpenedForView {
  readonly name: string;
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  readonly sample: number[][];
}

/** @throws UserError when there are no weights, or no tokenizer is known */
export function openForView(path: string, dataset?: string): OpenedForView {
  const { name, model, tokenizer } = openRun(path, { dataset });
  const trainedOn = path.endsWith(".safetensors")
    ? undefined
    : (RunFolder.open(path).config as { dataset?: string }).dataset;
  return { name, model, tokenizer, sample: sampleOf(dataset ?? trainedOn, model.config) };
}

/** Texts spread evenly over the validation split; none where the dataset is not here any more. */
function sampleOf(folder: string | undefined, model: LanguageModel["config"]): number[][] {
  if (folder === undefined) return [];
  let dataset: ReturnType<typeof openDataset>;
  try {
    dataset = openDataset(folder);
  } catch (error) {
    if (isUserError(error)) return [];
    throw error;
  }
  try {
    if (dataset.vocabulary > model.vocabulary) return [];
    const stream = dataset.tokens("valid");
    const contextLength = Math.min(SAMPLE_TOKENS, model.contextLength);
    const windows = consecutiveWindows(stream, contextLength);
    const taken = Math.min(SAMPLE_TEXTS, windows);
    return Array.from({ length: taken }, (_, i) => {
      const start = Math.floor((i * windows) / taken);
      return Array.from(consecutiveBatch(stream, { batch: 1, contextLength }, start).tokens);
    });
  } finally {
    dataset.close();
  }
}
