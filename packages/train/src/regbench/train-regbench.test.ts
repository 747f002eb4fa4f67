import { join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { createModel, loadModel, ModelConfig, readSafetensors } from "@mm/models";
import { selectBackend } from "@mm/ops";
import { collectProvenance, Rng, RunFolder, readMetrics } from "@mm/run";
import { temporaryFolder } from "../../../run/src/testing/temporary-folder.js";
import type { TrainProgress } from "../loop.js";
import { passesOf } from "../passes/passes.js";
import { testReplica } from "../testing/test-replica.js";
import { tinyModel, VOCABULARY } from "../testing/tiny-dataset.js";
import type { Sequence } from "./problem-batches.js";
import { MeanBatchLoss, type RegbenchTraining, trainRegbench } from "./train-regbench.js";

const config: RegbenchTraining = {
  model: ModelConfig.parse({ ...tinyModel, contextLength: 12 }),
  seed: 1,
  epochs: 4,
  batch: 4,
  learningRate: 0.02,
  warmupLearningRate: 1e-6,
  warmupFraction: 0.1,
  minimumLearningRateRatio: 0.1,
  weightDecay: 0.1,
  beta1: 0.9,
  beta2: 0.999,
  clip: 1,
};

/** Sequences of 4 to 12 tokens, each counting upwards by a step of its own; every fifth target is ignored. */
function problems(count: number, seed: number): Sequence[] {
  const rng = Rng.fromSeed(seed);
  return Array.from({ length: count }, () => {
    const [start, stride] = [rng.integer(0, VOCABULARY), rng.integer(1, 4)];
    const at = (index: number) => (start + index * stride) % VOCABULARY;
    const length = rng.integer(4, 13);
    return {
      tokens: Int32Array.from({ length }, (_, index) => at(index)),
      targets: Int32Array.from({ length }, (_, index) => (index % 5 === 4 ? -1 : at(index + 1))),
    };
  });
}

// Ten training sequences in batches of four: three steps an epoch, the last with two sequences.
const data = { train: problems(10, 1), valid: problems(5, 2) };

function newRun(): RunFolder {
  const provenance = collectProvenance({ backend: "wasm", seed: 1 });
  return RunFolder.create(temporaryFolder(), "regbench", config, provenance);
}

const weights = (checkpoint: string) => readSafetensors(join(checkpoint, "model.safetensors")).tensors;

describe("trainRegbench", () => {
  beforeAll(() => selectBackend("wasm"));

  it("trains for epochs, validates after each, and keeps the weights of the lowest validation loss", async () => {
    const run = newRun();
    const summary = await trainRegbench(config, data, run, { tags: { dataset: "tiny" } });
    expect(summary).toMatchObject({ status: "finished", step: 12, steps: 12 });
    const valid = readMetrics(run.path).filter(({ split, metric }) => split === "valid" && metric === "loss");
    expect(valid.map(({ step }) => step)).toEqual([3, 6, 9, 12]);
    expect(valid[0]!.tags).toMatchObject({ model: "memory-mosaic", environments: 10, dataset: "tiny" });
    const lowest = Math.min(...valid.map(({ value }) => value));
    expect(summary.best!.loss).toBe(lowest);
    expect(valid[summary.bestEpoch! - 1]!.value).toBe(lowest);

    const best = loadModel(join(summary.bestCheckpoint!, "model.safetensors"));
    expect(await new MeanBatchLoss(data.valid, config.batch).of(passesOf(best))).toBe(lowest);
    best.dispose();
  });

  it("gives the same weights, bit for bit, after a stop in the middle of an epoch and a second call", async () => {
    const whole = await trainRegbench(config, data, newRun());
    const run = newRun();
    const controller = new AbortController();
    const onProgress = ({ step }: TrainProgress) => void (step === 5 && controller.abort());
    const stopped = await trainRegbench(config, data, run, { onProgress, signal: controller.signal });
    expect(stopped).toMatchObject({ status: "interrupted", step: 5 });
    const resumed = await trainRegbench(config, data, RunFolder.open(run.path));
    expect(resumed.best).toEqual(whole.best);
    expect(weights(resumed.checkpoint)).toEqual(weights(whole.checkpoint));
  });

  it("decays every parameter, unless told otherwise", async () => {
    // Nothing but decay moves what a learning rate of 0.1 and a gradient of zero do not: position rows never used.
    const model = ModelConfig.parse({
      kind: "gpt2",
      vocabulary: VOCABULARY,
      contextLength: 40,
      blocks: 1,
      heads: 2,
      width: 8,
    });
    const train = { ...config, model, epochs: 1, learningRate: 0.1 };
    const lastRow = (tensors: ReturnType<typeof weights>) =>
      [...(tensors["transformer.wpe.weight"]!.data as Float32Array)].slice(-8);
    const initial = createModel(model, Rng.fromSeed(1).fork("init"));
    const start = [...initial.variables()["transformer.wpe.weight"]!.dataSync()].slice(-8);
    initial.dispose();

    const decayed = await trainRegbench(train, data, newRun());
    // Three steps; the warm-up takes round(0.1 · 3) = 0 of them, and the cosine starts at the peak.
    const rates = [0, 1, 2].map((step) => 0.01 + 0.5 * 0.09 * (1 + Math.cos((Math.PI * step) / 3)));
    const factor = rates.reduce((product, rate) => product * (1 - rate * 0.1), 1);
    for (const [at, value] of lastRow(weights(decayed.checkpoint)).entries())
      expect(value).toBeCloseTo(start[at]! * factor, 6);

    const free = await trainRegbench(train, data, newRun(), { decayed: () => false });
    expect(lastRow(weights(free.checkpoint))).toEqual(start);
  });

  it("does not clip where the protocol says so", async () => {
    const clipped = await trainRegbench({ ...config, epochs: 2, clip: 0.01 }, data, newRun());
    const free = await trainRegbench({ ...config, epochs: 2, clip: null }, data, newRun());
    expect(weights(free.checkpoint)).not.toEqual(weights(clipped.checkpoint));
  });
});

describe("trainRegbench with replicas on worker threads", () => {
  it("gives the same weights, bit for bit", async () => {
    const train = { ...config, batch: 10, epochs: 2 };
    const alone = await trainRegbench(train, data, newRun());
    const replicas = { entry: testReplica, backend: { name: "wasm", threads: 2, precision: "fp32" } } as const;
    const shared = await trainRegbench(train, data, newRun(), { replicas });
    expect(weights(shared.checkpoint)).toEqual(weights(alone.checkpoint));
    expect(shared.evaluation).toEqual(alone.evaluation);
  });
});

describe("MeanBatchLoss", () => {
  beforeAll(() => selectBackend("wasm"));

  it("is the same with and without padding, and weighs batches by their sequences", async () => {
    const model = createModel(config.model, Rng.fromSeed(1));
    const alone = await Promise.all(data.valid.map((problem) => new MeanBatchLoss([problem], 1).of(passesOf(model))));
    const counts = data.valid.map(({ targets }) => targets.filter((target) => target !== -1).length);
    // A batch's loss is the mean over its targets.
    const first =
      alone.slice(0, 4).reduce((sum, loss, at) => sum + loss * counts[at]!, 0) /
      counts.slice(0, 4).reduce((a, b) => a + b);
    expect(await new MeanBatchLoss(data.valid, 4).of(passesOf(model))).toBeCloseTo((4 * first + alone[4]!) / 5, 5);
    model.dispose();
  });
});
