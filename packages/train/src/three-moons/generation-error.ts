/** How far generated steps are from the truth, by the length of the prompt. */
import { setImmediate } from "node:timers/promises";
import type { MoonMemory, Periods } from "@mm/models";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import type { ThreeMoonsConfig } from "./config.js";
import { courseOf, randomWindows } from "./moon-windows.js";

export interface GenerationError {
  /** Steps of the prompt. */
  prompt: number;
  /** Mean of |ŷ − y| over windows, generated steps and coordinates. */
  error: number;
}

/**
 * Row j of what a memory gives predicts the position after step j. The script behind the published plot compares row
 * P + i with the position that row P + i − 1 predicts; `alignment: "published"` repeats it.
 */
export async function generationErrors(
  memory: MoonMemory,
  periods: Periods,
  config: ThreeMoonsConfig,
): Promise<GenerationError[]> {
  const { windows, generated, longestPrompt, promptStep, cache, alignment } = config.evaluation;
  const late = alignment === "published" ? 1 : 0;
  const length = longestPrompt + generated;
  const { inputs, targets } = randomWindows(
    [courseOf(periods, config, length)],
    windows,
    length,
    Rng.fromSeed(config.seed).fork("evaluation"),
  );
  const errors: GenerationError[] = [];
  for (let prompt = promptStep; prompt <= longestPrompt; prompt += promptStep) {
    const mean = tf.tidy(() => {
      const heard = tf.slice(inputs, [0, 0, 0], [-1, prompt, -1]);
      const made = memory.generate(heard, generated + late, { cache });
      const truth = tf.slice(targets, [0, prompt - 1, 0], [-1, generated, -1]);
      return tf.mean(tf.abs(tf.sub(tf.slice(made, [0, late, 0], [-1, generated, -1]), truth)));
    });
    errors.push({ prompt, error: (await mean.data())[0]! });
    mean.dispose();
    await setImmediate();
  }
  tf.dispose([inputs, targets]);
  return errors;
}

/** Errors up to this multiple of where the curve levels off count as accurate. */
const ACCURATE = 1.5;

/**
 * The shortest prompt from which on a memory generates about as well as it ever does: the error stays below 1.5 times
 * its mean over the longest quarter of the prompts. Null when it never does.
 */
export function accurateFrom(errors: readonly GenerationError[]): number | null {
  const longest = errors.slice(Math.floor((3 * errors.length) / 4));
  const level = longest.reduce((sum, { error }) => sum + error, 0) / longest.length;
  const last = errors.findLastIndex(({ error }) => !(error < ACCURATE * level));
  return errors[last + 1]?.prompt ?? null;
}
