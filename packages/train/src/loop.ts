/**
 * The story of every training, top to bottom: continue from the newest checkpoint if there is one; then step, log,
 * evaluate and save until the last step, a signal, or a loss that is no longer a number.
 *
 * A step depends on the task and its number alone, so a training that was killed and taken up again gives the same
 * numbers as one that never was.
 */
import { setImmediate } from "node:timers/promises";
import type { LanguageModel } from "@mm/models";
import { type MetricRow, type Rng, type RunFolder, UserError } from "@mm/run";
import { AdamW } from "./adamw.js";
import {
  bestCheckpoint,
  type Checkpoint,
  latestCheckpoint,
  restoreCheckpoint,
  saveCheckpoint,
  type TrainingState,
} from "./checkpoint.js";
import type { CheckpointConfig, OptimizerConfig } from "./config.js";
import { Pace } from "./pace.js";
import type { TrainingBatch } from "./passes/one-pass.js";
import { type Passes, passesOf } from "./passes/passes.js";
import { type StepRecord, trainStep } from "./train-step.js";

/** What to train, on what, and how. Iterations count the optimizer steps already done, from 0. */
export interface TrainingTask {
  readonly model: LanguageModel;
  /** Where the passes of a step run; in the model itself when not given. */
  readonly passes?: Passes;
  /** Whether weight decay applies to the parameter of this name. */
  decayed(name: string): boolean;
  readonly optimizer: OptimizerConfig;
  /** Optimizer steps in all. */
  readonly steps: number;
  learningRate(iteration: number): number;
  /** The batches over which one step accumulates its gradient. */
  batches(iteration: number): readonly TrainingBatch[];
  /** Masks of step i come from `dropout.fork(i)`. */
  readonly dropout: Rng;
  /** Losses by split; the one called "valid" decides which checkpoint is best. */
  evaluate(last: boolean): Promise<EvaluationReport>;
  readonly evaluateEvery: number;
  readonly logEvery: number;
  readonly checkpoints: CheckpointConfig;
  /** Of every metric row. */
  readonly tags: MetricRow["tags"];
}

export interface EvaluationReport {
  /** Mean loss in nats, by split: "valid", "train-eval", … */
  readonly losses: Readonly<Record<string, number>>;
  /** Mean loss on "valid" at each position, where it is wanted. */
  readonly byPosition?: ArrayLike<number>;
  /** Its standard error over the windows. */
  readonly byPositionStandardError?: ArrayLike<number>;
}

export interface TrainOptions {
  /** Called after every step. */
  onProgress?: (progress: TrainProgress) => void;
  /** Ends the training after the present step, with a checkpoint. */
  signal?: AbortSignal;
}

export interface TrainProgress extends StepRecord {
  /** Steps done. */
  step: number;
  steps: number;
  /** Steps done before this session; 0 in a new run. */
  before: number;
  learningRate: number;
  tokensPerSecond: number;
  /** Estimated from this session, evaluations included. */
  remainingSeconds: number;
  /** Losses of the last evaluation, by split. */
  evaluation: Readonly<Record<string, number>>;
}

export interface TrainSummary extends TrainingState {
  status: "finished" | "interrupted";
  steps: number;
  /** Trainable numbers. */
  parameters: number;
  /** Folder of the newest checkpoint. */
  checkpoint: string;
  /** Folder of the checkpoint of lowest validation loss. */
  bestCheckpoint: string | null;
  /** Of this session. */
  seconds: number;
  /** Mean over the steps of this session, evaluations excluded. */
  tokensPerSecond: number;
  /** Largest resident memory of the process so far, in bytes. */
  peakMemory: number;
}

/**
 * Trains, or continues, `run`. The model is left as it is after the last step.
 *
 * @throws UserError when the loss is no longer finite, a file cannot be written, or another process is at work on it
 */
export async function runTask(task: TrainingTask, run: RunFolder, options: TrainOptions = {}): Promise<TrainSummary> {
  run.start();
  const optimizer = new AdamW(task.model.variables(), (name) => task.decayed(name), task.optimizer);
  try {
    return await runSteps(task, run, optimizer, options);
  } catch (error) {
    recordFailure(run, error);
    throw error;
  } finally {
    optimizer.dispose();
  }
}

async function runSteps(
  task: TrainingTask,
  run: RunFolder,
  optimizer: AdamW,
  { onProgress, signal }: TrainOptions,
): Promise<TrainSummary> {
  const { model, passes = passesOf(model), steps, checkpoints } = task;
  let newest = latestCheckpoint(run.checkpointFolder);
  let state: TrainingState = { step: 0, trainLoss: null, evaluation: {}, best: null };
  if (newest !== undefined) {
    restoreCheckpoint(newest, model, optimizer);
    state = newest.state;
  }
  run.metrics.rewind(state.step);
  const save = async () => saveCheckpoint(run.checkpointFolder, model, optimizer, state, checkpoints);
  const before = state.step;
  const pace = new Pace(steps - before);

  while (state.step < steps && !signal?.aborted) {
    const iteration = state.step;
    const learningRate = task.learningRate(iteration);
    const dropout = task.dropout.fork(iteration);
    const record = await trainStep(passes, optimizer, task.batches(iteration), { learningRate, dropout });
    const step = iteration + 1;
    stopIfDiverged(record, step, newest);
    pace.count(record);
    state = { ...state, step, trainLoss: record.loss };

    const last = step === steps;
    if (step % task.logEvery === 0 || step === 1 || last) run.metrics.append(stepRows(run, task, record, step));

    let isBest = false;
    if (step % task.evaluateEvery === 0 || last) {
      const report = await task.evaluate(last);
      run.metrics.append(evaluationRows(run, task, report, step));
      const { valid } = report.losses;
      isBest = valid !== undefined && valid < (state.best?.loss ?? Infinity);
      state = { ...state, evaluation: report.losses, best: isBest ? { step, loss: valid! } : state.best };
    }

    if (step % checkpoints.every === 0 || last || (isBest && checkpoints.keepBest)) newest = await save();

    const { tokensPerSecond, remainingSeconds } = pace;
    const { evaluation } = state;
    onProgress?.({ ...record, step, steps, before, learningRate, tokensPerSecond, remainingSeconds, evaluation });
    await setImmediate(); // lets signals and timers through
  }

  if (newest?.state.step !== state.step) newest = await save();
  await run.metrics.export();
  const status = state.step === steps ? "finished" : "interrupted";
  if (status === "finished") run.finish();
  else run.interrupt();
  return {
    ...state,
    status,
    steps,
    parameters: countParameters(model),
    checkpoint: newest.path,
    bestCheckpoint: bestCheckpoint(run.checkpointFolder)?.path ?? null,
    seconds: pace.seconds,
    tokensPerSecond: pace.tokensPerSecond,
    peakMemory: peakMemory(),
  };
}

export function countParameters(model: LanguageModel): number {
  return Object.values(model.variables()).reduce((sum, { size }) => sum + size, 0);
}

/** Largest resident memory of this process so far, in bytes. */
function peakMemory(): number {
  return process.resourceUsage().maxRSS * 1024;
}

function stopIfDiverged({ loss, gradNorm }: StepRecord, step: number, newest: Checkpoint | undefined): void {
  if (Number.isFinite(loss) && Number.isFinite(gradNorm)) return;
  const found = Number.isFinite(loss) ? `a gradient of norm ${gradNorm}` : `a loss of ${loss}`;
  const from = newest === undefined ? "There is no checkpoint yet." : `The last good checkpoint is ${newest.path}.`;
  throw new UserError(`Expected a finite loss and gradient but found ${found} at step ${step}.`, {
    hint: `${from} Try a lower learning rate, a longer warm-up, stronger clipping or another seed.`,
  });
}

function stepRows(run: RunFolder, task: TrainingTask, record: StepRecord, step: number): MetricRow[] {
  const values = {
    loss: record.loss,
    learningRate: task.learningRate(step - 1),
    gradNorm: record.gradNorm,
    tokensPerSecond: (1000 * record.tokens) / record.milliseconds,
  };
  const common = { run: run.name, step, split: "train", tags: task.tags };
  return Object.entries(values).map(([metric, value]) => ({ ...common, metric, value }));
}

function evaluationRows(run: RunFolder, { tags }: TrainingTask, report: EvaluationReport, step: number): MetricRow[] {
  const losses = Object.entries(report.losses).map(([split, value]) => ({ split, metric: "loss", value, tags }));
  const byPosition = (metric: string, values: ArrayLike<number> = []) =>
    Array.from(values, (value, position) => ({ split: "valid", metric, value, tags: { ...tags, position } }));
  const positions = byPosition("lossByPosition", report.byPosition);
  const errors = byPosition("lossByPositionStandardError", report.byPositionStandardError);
  return [...losses, ...positions, ...errors].map((row) => ({ run: run.name, step, ...row }));
}

/** Keeps the run's status honest without hiding the error itself, should even that file not be writable. */
function recordFailure(run: RunFolder, error: unknown): void {
  try {
    run.fail(error instanceof Error ? error.message : String(error));
  } catch {}
}
