/**
 * Fidelity that anybody can check: runs our models on the weights and tokens of a folder of golden numbers, on whichever
 * backend is active, and says how far the results are from those of the published code. A new kind of result is one
 * function and one line here.
 */
import * as tf from "@tensorflow/tfjs";
import { gpt2Config, mosaicConfig } from "./authors-config.js";
import { baselineKinds } from "./baselines.js";
import { type Fixture, openFixture, readIndex } from "./fixture.js";
import { greedyParity } from "./greedy.js";
import { intermediatesParity } from "./intermediates.js";
import { languageModelParity } from "./language-model.js";
import { isWithin, type Measure } from "./measure.js";
import { threeMoonsParity } from "./three-moons.js";
import { trainingParity } from "./training.js";

export const parityKinds: Readonly<Record<string, (fixture: Fixture) => Promise<Measure[]>>> = {
  memory_mosaic_lm: languageModelParity(mosaicConfig),
  memory_mosaic_intermediates: intermediatesParity,
  memory_mosaic_training: trainingParity,
  memory_mosaic_greedy: greedyParity,
  gpt2_baseline: languageModelParity(gpt2Config),
  three_moons: threeMoonsParity,
  ...baselineKinds,
};

/** The outcome of one file. */
export interface ParityResult {
  readonly file: string;
  readonly kind: string;
  readonly backend: string;
  /** `unsupported`: this version has no check for results of this kind. */
  readonly status: "passed" | "failed" | "unsupported";
  readonly measures: readonly Measure[];
  readonly seconds: number;
}

/**
 * Checks every file of a parity folder in turn, on the active backend.
 *
 * @param folder with an index (`models.json` or `index.json`) and its safetensors files
 * @param options.filter which files to check, by name
 * @throws UserError when the folder or a file cannot be read
 */
export async function* checkParity(
  folder: string,
  options: { filter?: (file: string) => boolean } = {},
): AsyncGenerator<ParityResult> {
  for (const entry of readIndex(folder)) {
    if (options.filter && !options.filter(entry.file)) continue;
    const { file, kind } = entry;
    const check = parityKinds[kind];
    const start = performance.now();
    const measures = check === undefined ? [] : await check(openFixture(folder, entry));
    const status = check === undefined ? "unsupported" : measures.every(isWithin) ? "passed" : "failed";
    yield { file, kind, backend: tf.getBackend(), status, measures, seconds: (performance.now() - start) / 1000 };
  }
}
