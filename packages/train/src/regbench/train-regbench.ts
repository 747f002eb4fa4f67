/**
 * Training under RegBench's protocol (Akyürek et al., "In-Context Language Learning", ICML 2024; Memory Mosaics,
 * section 5.3): epochs over a fixed set of sequences in shuffled batches, weight decay on every parameter, timm's
 * cosine, and after each epoch a validation whose lowest loss selects the weights.
 */
import { createModel, type LanguageModel, type ModelConfig, modelParameters } from "@mm/models";
import { type MetricRow, Rng, type RunFolder } from "@mm/run";
import { countParameters, runTask, type TrainingTask, type TrainOptions, type TrainSummary } from "../loop.js";
import { countTargets, type TrainingBatch } from "../passes/one-pass.js";
import { type Passes, passesOf } from "../passes/passes.js";
import { type ReplicaOptions, Replicas } from "../passes/replicas.js";
import { timmCosine } from "../schedules/timm-cosine.js";
import { groupByLength, padSequences, type Sequence, shuffledSequences } from "./problem-batches.js";

/**
 * Sequences of like length in one pass; a step accumulates the gradient over its passes. Few enough that most tensors of
 * a pass stay in cache, and that a step has passes for several replicas.
 */
const ROWS_PER_PASS = 4;
/** Of a step with few sequences, such as the last of an epoch. */
const LEAST_PASSES = 4;

/** The part of the protocol that concerns training; its published values are the defaults of @mm/regbench. */
export interface RegbenchTraining {
  readonly model: ModelConfig;
  /** Of weights, order and dropout. */
  readonly seed: number;
  readonly epochs: number;
  /** Sequences per step; the last batch of an epoch may be smaller. */
  readonly batch: number;
  /** Peak, after the warm-up. */
  readonly learningRate: number;
  /** Where the warm-up starts. */
  readonly warmupLearningRate: number;
  /** Share of all steps. */
  readonly warmupFraction: number;
  /** Final over peak learning rate. */
  readonly minimumLearningRateRatio: number;
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  /** Greatest norm of the gradient; null for no clipping. */
  readonly clip: number | null;
}

export interface RegbenchOptions extends TrainOptions {
  /** Whether weight decay applies to a parameter; by default to every one that the model does not exempt. */
  decayed?: (name: string) => boolean;
  /** Epochs between checkpoints, besides those of lowest validation loss. Default 10. */
  checkpointEpochs?: number;
  /** Lets replicas on worker threads share the passes, where there are threads for several. */
  replicas?: ReplicaOptions;
  /** Added to the tags of every row: environments, dataset, … */
  tags?: MetricRow["tags"];
}

export interface RegbenchSummary extends TrainSummary {
  /** The epoch, from 1, with the lowest validation loss; its weights are in `bestCheckpoint`. */
  bestEpoch: number | null;
}

/**
 * Trains a new model into `run`, or continues it where a checkpoint is.
 *
 * @throws UserError when the loss is no longer finite, or a file cannot be written
 */
export async function trainRegbench(
  config: RegbenchTraining,
  problems: { train: readonly Sequence[]; valid: readonly Sequence[] },
  run: RunFolder,
  options: RegbenchOptions = {},
): Promise<RegbenchSummary> {
  const rng = Rng.fromSeed(config.seed);
  const model = createModel(config.model, rng.fork("init"));
  const mostPasses = Math.max(LEAST_PASSES, Math.ceil(config.batch / ROWS_PER_PASS));
  const count = Math.min(options.replicas?.backend.threads ?? 1, mostPasses);
  const replicas = count > 1 ? new Replicas(model, options.replicas!, count) : undefined;
  try {
    const task = regbenchTask(config, problems, { model, passes: replicas ?? passesOf(model) }, rng, options);
    const summary = await runTask(task, run, options);
    return { ...summary, bestEpoch: summary.best === null ? null : summary.best.step / task.evaluateEvery };
  } finally {
    await replicas?.close();
    model.dispose();
  }
}

/** Published: weight decay on every parameter, vectors too, but those that a model itself exempts. */
function unlessExempt(model: ModelConfig): (name: string) => boolean {
  const table = modelParameters(model);
  return (name) => table[name]?.decayed !== false;
}

function regbenchTask(
  config: RegbenchTraining,
  { train, valid }: { train: readonly Sequence[]; valid: readonly Sequence[] },
  { model, passes }: { model: LanguageModel; passes: Passes },
  rng: Rng,
  { decayed = unlessExempt(config.model), checkpointEpochs = 10, tags = {} }: RegbenchOptions,
): TrainingTask {
  const { batch, epochs, learningRate, beta1, beta2, weightDecay } = config;
  const stepsPerEpoch = Math.ceil(train.length / batch);
  const steps = stepsPerEpoch * epochs;
  const schedule = {
    learningRate,
    minimum: config.minimumLearningRateRatio * learningRate,
    warmup: Math.round(config.warmupFraction * steps),
    start: config.warmupLearningRate,
    decaySteps: steps,
  };
  const order = rng.fork("order");
  const validation = new MeanBatchLoss(valid, batch);
  return {
    model,
    passes,
    decayed,
    optimizer: { beta1, beta2, epsilon: 1e-8, weightDecay, clip: config.clip ?? 0 },
    steps,
    learningRate: (iteration) => timmCosine(schedule, iteration),
    batches(iteration) {
      const sequences = shuffledSequences(train, batch, iteration, order);
      const rows = Math.min(ROWS_PER_PASS, Math.ceil(sequences.length / LEAST_PASSES));
      return groupByLength(sequences, rows).map((group) => padSequences(group.map((at) => sequences[at]!)));
    },
    dropout: rng.fork("dropout"),
    evaluate: async () => ({ losses: { valid: await validation.of(passes) } }),
    evaluateEvery: stepsPerEpoch,
    logEvery: stepsPerEpoch,
    checkpoints: { every: checkpointEpochs * stepsPerEpoch, keepLast: 1, keepBest: true },
    tags: {
      model: config.model.kind,
      blocks: config.model.blocks,
      seed: config.seed,
      parameters: countParameters(model),
      environments: train.length,
      ...tags,
    },
  };
}

/**
 * The mean over batches of each batch's mean loss, weighted by its number of sequences (not of targets), as the
 * published trainer logs it. Sequences of like length are read together; which batch a loss counts for is as in the
 * given order.
 */
export class MeanBatchLoss {
  readonly #count: number;
  readonly #batch: number;
  /** For each pass the indices of its sequences, and these padded. */
  readonly #groups: readonly number[][];
  readonly #padded: readonly TrainingBatch[];
  /** Of each batch. */
  readonly #targets: readonly number[];

  constructor(sequences: readonly Sequence[], batch: number) {
    this.#count = sequences.length;
    this.#batch = batch;
    this.#groups = groupByLength(sequences, ROWS_PER_PASS);
    this.#padded = this.#groups.map((group) => padSequences(group.map((at) => sequences[at]!)));
    this.#targets = Array.from({ length: Math.ceil(sequences.length / batch) }, (_, index) =>
      sequences.slice(index * batch, (index + 1) * batch).reduce((sum, { targets }) => sum + countTargets(targets), 0),
    );
  }

  async of(passes: Passes): Promise<number> {
    const sums = new Float64Array(this.#count);
    let pass = 0;
    for await (const losses of passes.tokenLosses(this.#padded)) {
      const [group, { length }] = [this.#groups[pass]!, this.#padded[pass]!];
      for (const [index, loss] of losses.entries()) sums[group[Math.floor(index / length)]!]! += loss;
      pass++;
    }
    let total = 0;
    for (const [index, targets] of this.#targets.entries()) {
      const members = sums.subarray(index * this.#batch, (index + 1) * this.#batch);
      total += (members.length * members.reduce((sum, loss) => sum + loss, 0)) / targets;
    }
    return total / this.#count;
  }
}
