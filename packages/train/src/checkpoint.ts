/**
 * Checkpoints: everything that the next step depends on, in a folder for each.
 *
 *   checkpoints/step-00002000/  model.safetensors      weights, under the authors' names
 *                               optimizer.safetensors  first/<name> and second/<name>, the moments of AdamW
 *                               state.json             written last, with the checksums of the two
 *
 * Batches and dropout are drawn from (seed, step), so there is no other state. A folder without a `state.json` whose
 * checksums are right is not a checkpoint.
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  type LanguageModel,
  loadWeights,
  readSafetensors,
  type SafetensorsTensor,
  saveWeights,
  writeSafetensors,
} from "@mm/models";
import { UserError, writeFileAtomic } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import type { AdamW } from "./adamw.js";
import type { CheckpointConfig } from "./config.js";

/** How far a training has come. */
export interface TrainingState {
  /** Optimizer steps done. */
  step: number;
  /** Of the last step, with dropout. */
  trainLoss: number | null;
  /** Losses of the last evaluation, by split. */
  evaluation: Record<string, number>;
  /** The lowest validation loss so far. */
  best: { step: number; loss: number } | null;
}

export interface Checkpoint {
  /** Its folder. */
  readonly path: string;
  readonly state: TrainingState;
  /** sha256 by file. */
  readonly files: Readonly<Record<string, string>>;
}

const MODEL = "model.safetensors";
const OPTIMIZER = "optimizer.safetensors";
const STATE = "state.json";

/**
 * Saves a checkpoint below `folder`, then removes those that need not be kept.
 *
 * @throws UserError when the disk is full or the folder may not be written; older checkpoints are then untouched
 */
export async function saveCheckpoint(
  folder: string,
  model: LanguageModel,
  optimizer: AdamW,
  state: TrainingState,
  keep: Pick<CheckpointConfig, "keepLast" | "keepBest">,
): Promise<Checkpoint> {
  const path = join(folder, `step-${String(state.step).padStart(8, "0")}`);
  rmSync(path, { recursive: true, force: true });
  await saveWeights(model, join(path, MODEL), { step: String(state.step) });
  await saveMoments(optimizer, join(path, OPTIMIZER));
  const files = Object.fromEntries([MODEL, OPTIMIZER].map((file) => [file, sha256(join(path, file))]));
  writeFileAtomic(join(path, STATE), `${JSON.stringify({ ...state, files }, null, 2)}\n`);
  prune(folder, state, keep);
  return { path, state, files };
}

/** Every checkpoint below `folder`, oldest first; checksums are not looked at. */
export function listCheckpoints(folder: string): Checkpoint[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^step-\d+$/.test(name) && existsSync(join(folder, name, STATE)))
    .map((name) => readCheckpoint(join(folder, name)))
    .filter((checkpoint) => checkpoint !== undefined)
    .sort((a, b) => a.state.step - b.state.step);
}

/** The newest checkpoint whose files are whole, or nothing. */
export function latestCheckpoint(folder: string): Checkpoint | undefined {
  return listCheckpoints(folder).findLast(isWhole);
}

/** The checkpoint of lowest validation loss: the one to use, once a training is over. */
export function bestCheckpoint(folder: string): Checkpoint | undefined {
  const all = listCheckpoints(folder);
  const best = all.at(-1)?.state.best;
  return all.find(({ state }) => state.step === best?.step);
}

/**
 * Sets model and optimizer to where the checkpoint was.
 *
 * @throws UserError when it is of another model
 */
export function restoreCheckpoint({ path, state }: Checkpoint, model: LanguageModel, optimizer: AdamW): void {
  loadWeights(model, join(path, MODEL));
  const file = join(path, OPTIMIZER);
  const { tensors } = readSafetensors(file);
  for (const [name, moments] of Object.entries(optimizer.moments)) {
    for (const which of ["first", "second"] as const) {
      const stored = tensors[`${which}/${name}`];
      if (stored?.shape.join() !== moments[which].shape.join()) {
        throw new UserError(`Expected ${which}/${name} [${moments[which].shape}] in ${file}, found ${stored?.shape}.`, {
          hint: "The checkpoint is of another model; use the configuration with which it was made.",
        });
      }
      tf.tidy(() => moments[which].assign(tf.tensor(stored.data as Float32Array, moments[which].shape, "float32")));
    }
  }
  optimizer.steps = state.step;
}

async function saveMoments(optimizer: AdamW, path: string): Promise<void> {
  const tensors: Record<string, SafetensorsTensor> = {};
  for (const [name, { first, second }] of Object.entries(optimizer.moments)) {
    tensors[`first/${name}`] = { shape: first.shape, data: (await first.data()) as Float32Array };
    tensors[`second/${name}`] = { shape: second.shape, data: (await second.data()) as Float32Array };
  }
  writeSafetensors(path, tensors);
}

/** Removes what need not be kept, and folders that a killed process left unfinished. */
function prune(
  folder: string,
  { best }: TrainingState,
  { keepLast, keepBest }: { keepLast: number; keepBest: boolean },
) {
  const complete = listCheckpoints(folder);
  const kept = new Set(complete.slice(-keepLast).map(({ path }) => path));
  for (const { path, state } of complete) if (keepBest && state.step === best?.step) kept.add(path);
  for (const name of readdirSync(folder).filter((entry) => /^step-\d+$/.test(entry))) {
    const path = join(folder, name);
    if (kept.has(path)) continue;
    // First what makes it a checkpoint, so that a kill in between leaves no half one.
    rmSync(join(path, STATE), { force: true });
    rmSync(path, { recursive: true, force: true });
  }
}

/** Nothing when `state.json` is damaged. */
function readCheckpoint(path: string): Checkpoint | undefined {
  try {
    const { files, ...state } = JSON.parse(readFileSync(join(path, STATE), "utf8"));
    return { path, state, files };
  } catch {
    return undefined;
  }
}

function isWhole({ path, files }: Checkpoint): boolean {
  return Object.entries(files).every(([file, digest]) => {
    const whole = join(path, file);
    return existsSync(whole) && sha256(whole) === digest;
  });
}

/** Of a file of any size, in pieces. */
function sha256(path: string): string {
  const hash = createHash("sha256");
  const piece = new Uint8Array(1 << 22);
  const file = openSync(path, "r");
  try {
    for (let count = readSync(file, piece); count > 0; count = readSync(file, piece)) {
      hash.update(piece.subarray(0, count));
    }
  } finally {
    closeSync(file);
  }
  return hash.digest("hex");
}
