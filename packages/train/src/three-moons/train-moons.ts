/**
 * Training of the moons' memory: AdamW without decay and clipping, a learning rate that falls along a line, and
 *
 *   loss = mean of min(|ŷ − y|, ½)²      over all steps, also the first, where nothing is known and ŷ = 0
 */
import { setImmediate } from "node:timers/promises";
import { MoonMemory, TRAINING_TRIPLES } from "@mm/models";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { AdamW } from "../adamw.js";
import type { ThreeMoonsConfig } from "./config.js";
import { courseOf, randomWindows } from "./moon-windows.js";

const BETAS = { beta1: 0.9, beta2: 0.999 };

export interface MoonProgress {
  /** Iterations done. */
  iteration: number;
  loss: number;
}

/** Trains a new memory; the caller disposes of it. An aborted signal ends the training early. */
export async function trainMoons(
  config: ThreeMoonsConfig,
  { onProgress, signal }: { onProgress?: (progress: MoonProgress) => void; signal?: AbortSignal } = {},
): Promise<MoonMemory> {
  const { seed, iterations, batch, block, learningRate } = config;
  const rng = Rng.fromSeed(seed);
  const courses = TRAINING_TRIPLES.map((periods) => courseOf(periods, config));
  const memory = MoonMemory.create(config.memory, rng.fork("init"));
  const optimizer = new AdamW(memory.variables, () => false, { ...BETAS, epsilon: 1e-8, weightDecay: 0, clip: 0 });
  for (let iteration = 0; iteration < iterations && !signal?.aborted; iteration++) {
    const { value, grads } = tf.tidy(() => {
      const { inputs, targets } = randomWindows(courses, batch, block, rng.fork("batch").fork(iteration));
      return tf.variableGrads(
        () => moonLoss(memory.predict(inputs), targets, config.largestError),
        Object.values(memory.variables),
      );
    });
    const gradients = Object.fromEntries(
      Object.entries(memory.variables).map(([name, variable]) => [name, grads[variable.name]!]),
    );
    const rate = learningRate.first + (iteration / iterations) * (learningRate.last - learningRate.first);
    await optimizer.step(gradients, config.biasCorrection ? rate : rate * correction(iteration + 1));
    const [loss] = await value.data();
    tf.dispose([value, grads]);
    onProgress?.({ iteration: iteration + 1, loss: loss! });
    await setImmediate();
  }
  optimizer.dispose();
  return memory;
}

/**
 * What a bias-corrected step times this is without the correction (but for ε): m/√s = f · m̂/√ŝ. The published program
 * runs on MLX, whose AdamW leaves the correction out; its steps are up to three times as long.
 */
function correction(step: number): number {
  return (1 - BETAS.beta1 ** step) / Math.sqrt(1 - BETAS.beta2 ** step);
}

/** Mean of squared errors, each cut off at `largest`. */
export function moonLoss(predicted: tf.Tensor3D, targets: tf.Tensor3D, largest: number): tf.Scalar {
  return tf.mean(tf.square(tf.clipByValue(tf.sub(predicted, targets), -largest, largest)));
}
