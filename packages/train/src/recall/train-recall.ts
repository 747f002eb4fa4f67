/** Training on a recall task, and its score: how often the best guess after a query is the value of its key. */
import { setImmediate } from "node:timers/promises";
import { createModel, inference, type LanguageModel } from "@mm/models";
import { Rng, type RunFolder } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { countParameters, runTask, type TrainingTask, type TrainOptions, type TrainSummary } from "../loop.js";
import { countTargets, type TrainingBatch } from "../passes/one-pass.js";
import { learningRateAt, resolveSchedule } from "../schedules/index.js";
import type { RecallConfig, RecallProtocol } from "./config.js";
import { type RecallPoint, recallBatch, recallPoints } from "./tasks.js";

export interface RecallScore {
  point: RecallPoint;
  /** Queries of which the best guess was right, over all. */
  accuracy: number;
  queries: number;
}

/**
 * Trains a new model into `run`, or continues it where a checkpoint is; scores it when it is finished.
 *
 * @returns no scores when it was interrupted
 * @throws UserError when the loss is no longer finite, or a file cannot be written
 */
export async function trainRecall(
  config: RecallConfig,
  run: RunFolder,
  options: TrainOptions = {},
): Promise<{ summary: TrainSummary; scores: RecallScore[] }> {
  const rng = Rng.fromSeed(config.protocol.seed);
  const model = createModel(config.model, rng.fork("init"));
  try {
    const summary = await runTask(recallTask(config, model, rng), run, options);
    const scores = summary.status === "finished" ? await scoreRecall(model, config.protocol) : [];
    return { summary, scores };
  } finally {
    model.dispose();
  }
}

function recallTask(config: RecallConfig, model: LanguageModel, rng: Rng): TrainingTask {
  const { protocol } = config;
  const { steps, batch, learningRate, weightDecay } = protocol;
  const warmup = Math.round(steps / 10);
  const schedule = resolveSchedule({ kind: "cosine", learningRate, minimum: learningRate / 100, warmup }, steps);
  const evaluateEvery = Math.max(1, Math.round(steps / 10));
  return {
    model,
    decayed: (name) => model.decayed(name),
    optimizer: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay, clip: 1 },
    steps,
    learningRate: (iteration) => learningRateAt(schedule, iteration),
    batches: (iteration) => [recallBatch(protocol, null, batch, rng.fork("sequences").fork(iteration))],
    dropout: rng.fork("dropout"),
    evaluate: async () => ({ losses: { valid: await meanLoss(model, protocol) } }),
    evaluateEvery,
    logEvery: 10,
    checkpoints: { every: evaluateEvery, keepLast: 1, keepBest: false },
    tags: { ...recallTags(config), parameters: countParameters(model) },
  };
}

/** Of every row of a run, in training and of its scores. */
export function recallTags({ model, protocol }: RecallConfig) {
  const { task, seed, steps } = protocol;
  return { model: model.kind, blocks: model.blocks, task, seed, steps };
}

/** Accuracy at every point, on sequences that training does not draw. */
export async function scoreRecall(model: LanguageModel, protocol: RecallProtocol): Promise<RecallScore[]> {
  const scores: RecallScore[] = [];
  for (const point of recallPoints(protocol)) {
    let [right, queries] = [0, 0];
    for (const batch of heldOut(protocol, "test", point)) {
      right += await countRight(model, batch);
      queries += countTargets(batch.targets);
      await setImmediate();
    }
    scores.push({ point, accuracy: right / queries, queries });
  }
  return scores;
}

/** Sequences in one forward pass. */
const ROWS = 32;

function* heldOut(protocol: RecallProtocol, split: "valid" | "test", point: RecallPoint): Generator<TrainingBatch> {
  const rng = Rng.fromSeed(protocol.seed).fork(split).fork(point);
  for (let first = 0; first < protocol[split]; first += ROWS)
    yield recallBatch(protocol, point, Math.min(ROWS, protocol[split] - first), rng.fork(first));
}

async function countRight(model: LanguageModel, batch: TrainingBatch): Promise<number> {
  const right = tf.tidy(() => {
    const { tokens, targets } = tensors(batch);
    return tf.sum(tf.cast(tf.equal(tf.argMax(model.logits(tokens), 2), targets), "int32"));
  });
  const [count] = await right.data();
  right.dispose();
  return count!;
}

/** Mean over batches and points, each alike. */
async function meanLoss(model: LanguageModel, protocol: RecallProtocol): Promise<number> {
  const losses: number[] = [];
  for (const point of recallPoints(protocol)) {
    for (const batch of heldOut(protocol, "valid", point)) {
      const loss = tf.tidy(() => {
        const { tokens, targets } = tensors(batch);
        return model.loss(tokens, targets, inference);
      });
      losses.push((await loss.data())[0]!);
      loss.dispose();
      await setImmediate();
    }
  }
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** [rows, length] */
function tensors({ tokens, targets, length }: TrainingBatch): Record<"tokens" | "targets", tf.Tensor2D> {
  const shape: [number, number] = [tokens.length / length, length];
  return { tokens: tf.tensor2d(tokens, shape, "int32"), targets: tf.tensor2d(targets, shape, "int32") };
}
