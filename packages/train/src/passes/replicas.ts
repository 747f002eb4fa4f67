/**
 * Data parallelism on one machine: replicas of a model on worker threads, each with a backend and a share of the
 * processor's cores of its own. Where a model is small, two replicas of one thread are faster than one model of two
 * threads: no kernel waits for its slowest thread, and JavaScript runs on all cores too.
 *
 * Whichever replica is free takes the next batch. Gradients come back in the order of the batches, so their sum does not
 * depend on the number of replicas or on who was faster.
 */
import type { Worker } from "node:worker_threads";
import type { LanguageModel } from "@mm/models";
import { copyInto, type SelectedBackend } from "@mm/ops";
import { spawnWorker } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { countParameters } from "../loop.js";
import type { LossAndGradients, TrainingBatch, WeightedBatch } from "./one-pass.js";
import type { Passes } from "./passes.js";
import { type Answer, type GradientAnswer, parameterViews, type Start, type Task } from "./replica.js";

export interface ReplicaOptions {
  /** A file that calls `serveReplica` with a way to load this backend. */
  readonly entry: URL;
  /** Replicas share its threads. */
  readonly backend: Pick<SelectedBackend, "name" | "threads" | "precision">;
}

export class Replicas implements Passes {
  readonly #model: LanguageModel;
  readonly #workers: readonly Worker[];
  /** All parameters, one after another, in the order of `model.variables()`. */
  readonly #weights: Float32Array;
  /** For each pass of a task its gradient, laid out as the weights are; as many as any task had so far. */
  readonly #gradients: Float32Array[] = [];
  /** Of batches that came before, such as those of a validation, copies in shared memory. */
  readonly #shared = new WeakMap<TrainingBatch, TrainingBatch>();
  /** Receives the answers to the present task. */
  #answer: (answer: Answer) => void = () => {};
  #fail: (error: Error) => void = () => {};
  #failure: Error | undefined;

  /** @param count of replicas; threads that they cannot share evenly stay idle */
  constructor(model: LanguageModel, { entry, backend }: ReplicaOptions, count: number) {
    this.#model = model;
    this.#weights = sharedNumbers(countParameters(model));
    const start: Start = {
      config: model.config,
      backend: backend.name,
      options: { precision: backend.precision, threads: Math.floor(backend.threads / count) },
      weights: this.#weights,
    };
    this.#workers = Array.from({ length: count }, () => this.#spawn(entry, start));
  }

  #spawn(entry: URL, start: Start): Worker {
    const worker = spawnWorker(entry);
    const failed = (error: Error) => {
      this.#failure ??= error;
      this.#fail(this.#failure);
    };
    worker.on("message", (answer: Answer) => this.#answer(answer));
    worker.on("error", failed);
    worker.on("exit", (code) => failed(new Error(`A replica of the model ended with code ${code}.`)));
    worker.postMessage(start);
    return worker;
  }

  async *lossesAndGradients(batches: readonly WeightedBatch[]): AsyncGenerator<LossAndGradients> {
    while (this.#gradients.length < batches.length) this.#gradients.push(sharedNumbers(this.#weights.length));
    const passes = batches.map(({ batch, share, dropout }, index) => {
      return { batch: this.#inSharedMemory(batch), share, dropout: dropout.key, gradient: this.#gradients[index]! };
    });
    let index = 0;
    for await (const { loss, names } of this.#distribute<GradientAnswer>({ kind: "gradients", passes })) {
      const places = parameterViews(this.#model, this.#gradients[index++]!);
      const tensors = names.map((name) => [name, tf.tensor(places[name]!, this.#model.variables()[name]!.shape)]);
      yield { loss, gradients: Object.fromEntries(tensors) };
    }
  }

  tokenLosses(batches: readonly TrainingBatch[]): AsyncIterable<Float32Array> {
    return this.#distribute<Float32Array>({
      kind: "losses",
      passes: batches.map((batch) => this.#inSharedMemory(batch)),
    });
  }

  #inSharedMemory(batch: TrainingBatch): TrainingBatch {
    let copy = this.#shared.get(batch);
    if (copy === undefined) {
      const { tokens, targets, length } = batch;
      copy = { tokens: sharedCopy(tokens), targets: sharedCopy(targets), length };
      this.#shared.set(batch, copy);
    }
    return copy;
  }

  /** Gives the replicas the present weights and all passes of a task; yields the results in their order. */
  async *#distribute<Result>(work: Omit<Task, "next">): AsyncGenerator<Result> {
    const places = parameterViews(this.#model, this.#weights);
    for (const [name, variable] of Object.entries(this.#model.variables())) await copyInto(variable, places[name]!);
    const early = new Map<number, Result>();
    let arrived = () => {};
    this.#answer = ({ index, result }) => {
      early.set(index, result as Result);
      arrived();
    };
    const task = { ...work, next: new Int32Array(new SharedArrayBuffer(4)) };
    for (const worker of this.#workers) worker.postMessage(task);
    for (let index = 0; index < work.passes.length; index++) {
      while (!early.has(index)) {
        await new Promise<void>((resolve, reject) => {
          arrived = resolve;
          this.#fail = reject;
          if (this.#failure !== undefined) reject(this.#failure);
        });
      }
      yield early.get(index)!;
      early.delete(index);
    }
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await Promise.all(
      this.#workers.map(async (worker) => {
        worker.removeAllListeners("exit");
        await worker.terminate();
      }),
    );
  }
}

/** Numbers that other threads see too. */
function sharedNumbers(count: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * count));
}

function sharedCopy(numbers: Int32Array): Int32Array {
  const copy = new Int32Array(new SharedArrayBuffer(numbers.byteLength));
  copy.set(numbers);
  return copy;
}
