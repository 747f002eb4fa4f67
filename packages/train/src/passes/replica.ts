/** The other side of replicas.ts: a worker thread that computes passes with a copy of the model. */
import { on } from "node:events";
import { parentPort } from "node:worker_threads";
import { createModel, type LanguageModel, type ModelConfig } from "@mm/models";
import { type PhiloxKey, Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { lossAndGradients, type TrainingBatch, tokenLosses, type WeightedBatch } from "./one-pass.js";

/** Which backend a replica loads: what the command line calls these flags. */
export interface ReplicaBackend {
  readonly backend: string;
  readonly precision?: "fp32" | "bf16" | undefined;
  readonly threads: number;
}

/** The first message. */
export interface Start {
  readonly config: LanguageModel["config"];
  readonly backend: ReplicaBackend;
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

export type GradientPass = Omit<WeightedBatch, "dropout"> & { readonly dropout: PhiloxKey };

export interface GradientNumbers {
  readonly loss: number;
  readonly gradients: Readonly<Record<string, Float32Array>>;
}

/** Of one pass. */
export interface Answer {
  readonly index: number;
  readonly result: GradientNumbers | Float32Array;
}

/** Serves the thread that started this worker, for as long as it lives. */
export async function serveReplica(loadBackend: (backend: ReplicaBackend) => Promise<unknown>): Promise<void> {
  const port = parentPort!;
  const tasks = on(port, "message");
  const { value: start } = await tasks.next();
  const { config, backend, weights } = start[0] as Start;
  await loadBackend(backend);
  const model = createModel(config as ModelConfig, Rng.fromSeed(0));
  for await (const [message] of tasks) {
    const { kind, passes, next } = message as Task;
    readWeights(model, weights);
    for (let index = Atomics.add(next, 0, 1); index < passes.length; index = Atomics.add(next, 0, 1)) {
      const result =
        kind === "losses"
          ? await tokenLosses(model, passes[index] as TrainingBatch)
          : await gradientNumbers(model, passes[index] as GradientPass);
      port.postMessage({ index, result } satisfies Answer);
    }
  }
}

function readWeights(model: LanguageModel, weights: Float32Array): void {
  let start = 0;
  for (const variable of Object.values(model.variables())) {
    const values = weights.slice(start, start + variable.size);
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape, "float32")));
    start += variable.size;
  }
}

async function gradientNumbers(model: LanguageModel, { dropout, ...pass }: GradientPass): Promise<GradientNumbers> {
  const { loss, gradients } = await lossAndGradients(model, { ...pass, dropout: new Rng(dropout) });
  const numbers: Record<string, Float32Array> = {};
  for (const [name, gradient] of Object.entries(gradients)) numbers[name] = (await gradient.data()) as Float32Array;
  tf.dispose(gradients);
  return { loss, gradients: numbers };
}
