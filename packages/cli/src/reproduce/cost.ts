/**
 * What a training costs, by counting. Each parameter takes part in one multiplication and one addition per token, and
 * twice as many in the gradient; reads add 2·T·C operations per token and block (half of the T keys, on average, met
 * by query and by value) and twice as many in the gradient:
 *
 *   operations per token = 6 · (parameters + blocks · T · C)
 */
import { countParameters, createModel, type ModelConfig, modelParameters } from "@mm/models";
import { Rng } from "@mm/run";
import { AdamW, OptimizerConfig, passesOf, type TrainConfig, trainStep } from "@mm/train";
import type { Cost } from "./task.js";

/** Weight, gradient, and Adam's two moments. */
const BYTES_PER_PARAMETER = 16;
/** Numbers of width C that a block keeps for its gradient, for each token: inputs and outputs of its maps and norms. */
const KEPT_PER_BLOCK = 20;

export function trainingCost({ model, steps, batch, accumulation, contextLength }: TrainConfig): Cost {
  const { blocks, width } = model as { blocks: number; width: number };
  const parameters = countParameters(modelParameters(model));
  const tokens = steps * batch * accumulation * contextLength;
  return {
    parameters,
    tokens,
    flops: 6 * (parameters + blocks * contextLength * width) * tokens,
    memory: BYTES_PER_PARAMETER * parameters + 4 * KEPT_PER_BLOCK * blocks * batch * contextLength * width,
  };
}

const MEASURED_STEPS = 2;
/** Enough for products of their usual speed; a whole batch of the largest models would take minutes. */
const MEASURED_TOKENS = 1024;
/** Initial weights for all words of a wide model would take longer than the steps that are measured. */
const MEASURED_EMBEDDING = 4e6;

/** Operations per second of short training steps with one block, on the active backend. */
export async function measureSpeed(config: TrainConfig): Promise<number> {
  const { contextLength: length } = config;
  const { width, vocabulary } = config.model as { width: number; vocabulary: number };
  const model = {
    ...config.model,
    blocks: 1,
    vocabulary: Math.min(vocabulary, Math.floor(MEASURED_EMBEDDING / width)),
  } as ModelConfig;
  const batch = Math.max(1, Math.min(config.batch, Math.floor(MEASURED_TOKENS / length)));
  const network = createModel(model, Rng.fromSeed(0));
  const optimizer = new AdamW(network.variables(), (name) => network.decayed(name), OptimizerConfig.parse({}));
  const tokens = Int32Array.from({ length: batch * length }, (_, index) => index % model.vocabulary);
  const step = () =>
    trainStep(passesOf(network), optimizer, [{ tokens, targets: tokens, length }], {
      learningRate: 0,
      dropout: Rng.fromSeed(0),
    });
  try {
    await step();
    const started = performance.now();
    for (let i = 0; i < MEASURED_STEPS; i++) await step();
    const seconds = (performance.now() - started) / 1000;
    const { flops } = trainingCost({ ...config, model, steps: MEASURED_STEPS, batch, accumulation: 1 });
    return flops / seconds;
  } finally {
    optimizer.dispose();
    network.dispose();
  }
}
