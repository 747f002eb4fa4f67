/** Training a language model on a dataset, as the paper does: random windows, AdamW, cosine with warm-up. */
import { type Dataset, openDataset, randomBatch } from "@mm/data";
import { createModel, type LanguageModel } from "@mm/models";
import { type MetricRow, parseConfig, Rng, type RunFolder, UserError } from "@mm/run";
import { TrainConfig } from "./config.js";
import { evaluate } from "./evaluate.js";
import { countParameters, runTask, type TrainingTask, type TrainOptions, type TrainSummary } from "./loop.js";
import type { TrainingBatch } from "./passes/one-pass.js";
import { learningRateAt } from "./schedules/index.js";

/** What training needs of a dataset. */
export type TrainingData = Pick<Dataset, "name" | "digest" | "vocabulary" | "tokens">;

/**
 * Trains a new model into `run`, on the active backend. A run that already has a checkpoint is continued from there.
 *
 * @throws UserError when model and dataset do not fit, the loss is no longer finite, or a file cannot be written
 */
export async function train(
  config: TrainConfig,
  dataset: TrainingData,
  run: RunFolder,
  options: TrainOptions = {},
): Promise<TrainSummary> {
  checkFit(config, dataset);
  const rng = Rng.fromSeed(config.seed);
  const model = createModel(config.model, rng.fork("init"));
  try {
    const task = languageTask(config, dataset, model, rng);
    return await runTask({ ...task, tags: { ...task.tags, ...run.provenance.tags } }, run, options);
  } finally {
    model.dispose();
  }
}

/**
 * Continues an interrupted run from its newest checkpoint, with its own configuration and dataset: on the same backend
 * (`run.provenance.backend`) bit for bit as if it had never stopped.
 *
 * @throws UserError as `train`, and when the dataset has changed since
 */
export async function resume(run: RunFolder, options: TrainOptions = {}): Promise<TrainSummary> {
  const config = parseConfig(TrainConfig, run.config, { source: `${run.path}/config.json` });
  const dataset = openDataset(config.dataset);
  try {
    checkDigest(run, config, dataset);
    return await train(config, dataset, run, options);
  } finally {
    dataset.close();
  }
}

function languageTask(config: TrainConfig, dataset: TrainingData, model: LanguageModel, rng: Rng): TrainingTask {
  const { batch, accumulation, contextLength: length } = config;
  const windows = { ...config.evaluation, contextLength: length };
  const batches = rng.fork("batch");
  return {
    model,
    decayed: (name) => model.decayed(name),
    optimizer: config.optimizer,
    steps: config.steps,
    learningRate: (iteration) => learningRateAt(config.schedule, iteration),
    batches(iteration) {
      const shape = { batch: batch * accumulation, contextLength: length };
      const all = randomBatch(dataset.tokens("train"), shape, batches.fork(iteration));
      return splitRows({ ...all, length }, batch);
    },
    dropout: rng.fork("dropout"),
    async evaluate(last) {
      const train = await evaluate(model, dataset.tokens("train"), windows);
      const valid = await evaluate(model, dataset.tokens("valid"), windows);
      const losses = { "train-eval": train.loss, valid: valid.loss };
      const { byPosition, byPositionStandardError } = valid;
      return last ? { losses, byPosition, byPositionStandardError } : { losses };
    },
    evaluateEvery: config.evaluation.every,
    logEvery: config.logEvery,
    checkpoints: config.checkpoints,
    tags: runTags(config, dataset, model),
  };
}

/** Parts of at most `rows` rows, in order. */
export function splitRows({ tokens, targets, length }: TrainingBatch, rows: number): TrainingBatch[] {
  const size = rows * length;
  return Array.from({ length: Math.ceil(tokens.length / size) }, (_, part) => ({
    tokens: tokens.subarray(part * size, (part + 1) * size),
    targets: targets.subarray(part * size, (part + 1) * size),
    length,
  }));
}

/** What figures select and group rows by. */
function runTags({ model: config, seed }: TrainConfig, dataset: TrainingData, model: LanguageModel): MetricRow["tags"] {
  const { kind: name, blocks } = config;
  return { model: name, blocks, seed, dataset: dataset.name, parameters: countParameters(model) };
}

/** @throws UserError when the model has too few tokens for the dataset, or a split too few for one window */
export function checkFit({ model, contextLength }: TrainConfig, dataset: TrainingData): void {
  if (model.vocabulary < dataset.vocabulary) {
    throw new UserError(
      `Expected a model for the ${dataset.vocabulary} tokens of ${dataset.name} but found vocabulary ${model.vocabulary}.`,
      { hint: `Set model.vocabulary=${dataset.vocabulary} or larger.` },
    );
  }
  const least = { train: contextLength + 3, valid: contextLength + 1 };
  for (const split of ["train", "valid"] as const) {
    const { length } = dataset.tokens(split);
    if (length >= least[split]) continue;
    throw new UserError(
      `Expected at least ${least[split]} tokens in the ${split} split of ${dataset.name} but found ${length}.`,
      { hint: "Build a larger dataset, or set a shorter model.contextLength." },
    );
  }
}

function checkDigest(run: RunFolder, config: TrainConfig, dataset: Dataset): void {
  const expected = run.provenance.dataset?.digest;
  if (expected !== undefined && expected !== dataset.digest) {
    throw new UserError(
      `Expected the dataset ${config.dataset} with which ${run.name} began (${expected}) but found ${dataset.digest}.`,
      { hint: "Build that dataset again with the same settings, or start a new run." },
    );
  }
}
