/** The other side of replicas.ts: a worker thread that computes passes with a copy of the model. */
import { on } from "node:events";
import { parentPort } from "node:worker_threads";
import { createModel, type LanguageModel, type ModelConfig } from "@mm/models";
import { type BackendOptions, copyInto } from "@mm/ops";
import { type PhiloxKey, Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { lossAndGradients, type TrainingBatch, tokenLosses, type WeightedBatch } from "./one-pass.js";

/** The first message. */
export interface Start {
  readonly config: LanguageModel["config"];
  /** Which backend the replica loads. */
  readonly backend: string;
  readonly options: BackendOptions;
  /** Shared memory; at each task the parameters are there, one after another. */
  readonly weights: Float32Array;
}

/** Every later message: passes that all replicas share. */
export interface Task {
  readonly kind: "gradients" | "losses";
  readonly passes: readonly (GradientPass | TrainingBatch)[];
  /** Shared memory: the first pass that nobody has taken. */
  readonly next: Int32Array;
}

export interface GradientPass extends Omit<WeightedBatch, "dropout"> {
  readonly dropout: PhiloxKey;
  /** Shared memory for the gradient, laid out as the weights are. */
  readonly gradient: Float32Array;
}

export interface GradientAnswer {
  readonly loss: number;
  /** Of the parameters whose gradient is there. */
  readonly names: readonly string[];
}

/** Of one pass. */
export interface Answer {
  readonly index: number;
  readonly result: GradientAnswer | Float32Array;
}

/** Serves the thread that started this worker, for as long as it lives. */
export async function serveReplica(
  loadBackend: (name: string, options: BackendOptions) => Promise<unknown>,
): Promise<void> {
  const port = parentPort!;
  const tasks = on(port, "message");
  const { value: start } = await tasks.next();
  const { config, backend, options, weights } = start[0] as Start;
  await loadBackend(backend, options);
  const model = createModel(config as ModelConfig, Rng.fromSeed(0));
  for await (const [message] of tasks) {
    const { kind, passes, next } = message as Task;
    readWeights(model, weights);
    for (let index = Atomics.add(next, 0, 1); index < passes.length; index = Atomics.add(next, 0, 1)) {
      const result =
        kind === "losses"
          ? await tokenLosses(model, passes[index] as TrainingBatch)
          : await writeGradient(model, passes[index] as GradientPass);
      port.postMessage({ index, result } satisfies Answer);
    }
  }
}

function readWeights(model: LanguageModel, weights: Float32Array): void {
  const places = parameterViews(model, weights);
  for (const [name, variable] of Object.entries(model.variables())) {
    tf.tidy(() => variable.assign(tf.tensor(places[name]!, variable.shape)));
  }
}

async function writeGradient(
  model: LanguageModel,
  { dropout, gradient, ...pass }: GradientPass,
): Promise<GradientAnswer> {
  const { loss, gradients } = await lossAndGradients(model, { ...pass, dropout: new Rng(dropout) });
  const places = parameterViews(model, gradient);
  for (const [name, tensor] of Object.entries(gradients)) await copyInto(tensor, places[name]!);
  tf.dispose(gradients);
  return { loss, names: Object.keys(gradients) };
}

/** The places of the parameters where all lie one after another, in the order of `model.variables()`. */
export function parameterViews(model: LanguageModel, numbers: Float32Array): Record<string, Float32Array> {
  let end = 0;
  const views = Object.entries(model.variables()).map(([name, { size }]) => {
    end += size;
    return [name, numbers.subarray(end - size, end)];
  });
  return Object.fromEntries(views);
}
