/**
 * The passes of a training step or a validation: several batches through one set of weights. They run one after another
 * in the model itself (here), or side by side in replicas of it (replicas.ts), and give the same numbers either way.
 */
import { setImmediate } from "node:timers/promises";
import type { LanguageModel } from "@mm/models";
import {
  type LossAndGradients,
  lossAndGradients,
  type TrainingBatch,
  tokenLosses,
  type WeightedBatch,
} from "./one-pass.js";

export interface Passes {
  /** Of each batch, in order. */
  lossesAndGradients(batches: readonly WeightedBatch[]): AsyncIterable<LossAndGradients>;
  /** Of each batch, in order: the cross-entropy of every target in nats, row after row; 0 where it is ignored. */
  tokenLosses(batches: readonly TrainingBatch[]): AsyncIterable<Float32Array>;
}

export function passesOf(model: LanguageModel): Passes {
  return {
    async *lossesAndGradients(batches) {
      for (const batch of batches) yield await lossAndGradients(model, batch);
    },
    async *tokenLosses(batches) {
      for (const batch of batches) {
        yield await tokenLosses(model, batch);
        await setImmediate(); // lets signals and timers through
      }
    },
  };
}
