import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Dataset } from "@mm/data";
import { readSafetensors } from "@mm/models";
import { selectBackend } from "@mm/ops";
import { isUserError, type MetricRow, RunFolder, readMetrics, type UserError } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { latestCheckpoint, listCheckpoints } from "./checkpoint.js";
import type { TrainProgress } from "./loop.js";
import { newRun, tinyConfig, tinyDataset, tinyModel } from "./testing/tiny-dataset.js";
import { resume, train } from "./train.js";

let dataset: Dataset;
beforeAll(() => {
  dataset = tinyDataset();
});
afterAll(() => dataset.close());

/** All that a run has logged but for its speed. */
function rows(run: RunFolder): Omit<MetricRow, "run">[] {
  return readMetrics(run.path)
    .filter(({ metric }) => metric !== "tokensPerSecond")
    .map(({ run: _, ...row }) => row);
}

function finalWeights(run: RunFolder): Record<string, unknown> {
  const { path } = latestCheckpoint(run.checkpointFolder)!;
  return {
    ...readSafetensors(join(path, "model.safetensors")).tensors,
    ...readSafetensors(join(path, "optimizer.safetensors")).tensors,
  };
}

/** Stops a training as Ctrl-C would, after the given step. */
function stopAfter(step: number) {
  const controller = new AbortController();
  const onProgress = (progress: TrainProgress) => {
    if (progress.step === step) controller.abort();
  };
  return { signal: controller.signal, onProgress };
}

const gpt2 = { kind: "gpt2", vocabulary: 11, contextLength: 8, blocks: 1, heads: 2, width: 8, dropout: 0.1 } as const;

describe("a training stopped at step 5 and resumed", () => {
  it.each([
    ["a Memory Mosaic", "cpu", tinyModel],
    ["a Memory Mosaic", "wasm", tinyModel],
    ["GPT-2", "wasm", gpt2],
  ])("gives the same numbers as one without a stop, bit for bit: %s on %s", async (_name, backend, model) => {
    await selectBackend(backend);
    const config = tinyConfig(dataset, { model, accumulation: 2, checkpoints: { every: 100 } });
    const whole = newRun(config, dataset);
    const summary = await train(config, dataset, whole);
    expect(summary).toMatchObject({ status: "finished", step: 10, steps: 10 });

    const stopped = newRun(config, dataset);
    const first = await train(config, dataset, stopped, stopAfter(5));
    expect(first).toMatchObject({ status: "interrupted", step: 5 });
    expect(stopped.status()).toBe("interrupted");
    const second = await resume(RunFolder.open(stopped.path));
    expect(second).toMatchObject({ status: "finished", step: 10, trainLoss: summary.trainLoss, best: summary.best });

    expect(rows(stopped)).toEqual(rows(whole));
    expect(finalWeights(stopped)).toEqual(finalWeights(whole));
  });
});

describe("train", () => {
  beforeAll(() => selectBackend("wasm"));

  it("learns: the validation loss falls", async () => {
    const config = tinyConfig(dataset, { steps: 40, evaluation: { every: 10, windows: 6 } });
    const run = newRun(config, dataset);
    const { best } = await train(config, dataset, run);
    const valid = rows(run).filter(({ split, metric }) => split === "valid" && metric === "loss");
    expect(valid.map(({ step }) => step)).toEqual([10, 20, 30, 40]);
    expect(best!.loss).toBeLessThan(valid[0]!.value - 0.05);
  });

  it("logs every step, evaluates train and valid, and ends with the loss by position", async () => {
    const config = tinyConfig(dataset);
    const run = newRun(config, dataset);
    const summary = await train(config, dataset, run);
    const all = rows(run);
    const of = (split: string, metric: string) => all.filter((row) => row.split === split && row.metric === metric);
    expect(of("train", "loss").map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(
      of("train", "learningRate")
        .slice(0, 3)
        .map(({ value }) => value),
    ).toEqual([0, 0.01, 0.02]);
    expect(of("train-eval", "loss").map(({ step }) => step)).toEqual([5, 10]);
    expect(of("valid", "loss").at(-1)!.value).toBe(summary.evaluation["valid"]);
    expect(of("valid", "lossByPosition").map(({ tags }) => tags["position"])).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(all[0]!.tags).toEqual({
      model: "memory-mosaic",
      blocks: 1,
      seed: 1,
      dataset: "tiny",
      parameters: summary.parameters,
    });
    expect(run.status()).toBe("finished");
    expect(summary.peakMemory).toBeGreaterThan(1e7);
    expect(summary.bestCheckpoint).not.toBeNull();
  });

  it("reports progress with rate and remaining time after every step", async () => {
    const config = tinyConfig(dataset);
    const seen: TrainProgress[] = [];
    await train(config, dataset, newRun(config, dataset), { onProgress: (progress) => seen.push(progress) });
    expect(seen.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(seen.every(({ tokensPerSecond, remainingSeconds }) => tokensPerSecond > 0 && remainingSeconds >= 0)).toBe(
      true,
    );
    expect(seen.at(-1)!.remainingSeconds).toBe(0);
  });

  it("holds the same number of tensors after every step, evaluation and checkpoint, and none at the end", async () => {
    const config = tinyConfig(dataset, { evaluation: { every: 2, windows: 3 }, checkpoints: { every: 3 } });
    const before = tf.memory().numTensors;
    const counts: number[] = [];
    const onProgress = () => counts.push(tf.memory().numTensors);
    await train(config, dataset, newRun(config, dataset), { onProgress });
    expect(new Set(counts).size).toBe(1);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("keeps the last checkpoints and the best one", async () => {
    const config = tinyConfig(dataset, {
      checkpoints: { every: 2, keepLast: 2 },
      evaluation: { every: 1, windows: 2 },
    });
    const run = newRun(config, dataset);
    const { best, bestCheckpoint } = await train(config, dataset, run);
    const steps = listCheckpoints(run.checkpointFolder).map(({ state }) => state.step);
    expect(steps).toEqual([...new Set([best!.step, ...steps.slice(-2)])].sort((a, b) => a - b));
    expect(bestCheckpoint).toContain(String(best!.step).padStart(8, "0"));
  });

  it("stops when the loss is no longer a number, and says where, from what to go on, and what to try", async () => {
    const config = tinyConfig(dataset, {
      steps: 200,
      schedule: { kind: "step", learningRate: 0.01, milestones: [8], factor: 1e30 },
      checkpoints: { every: 2 },
    });
    const run = newRun(config, dataset);
    const fault = await train(config, dataset, run).catch((error) => error);
    expect(isUserError(fault)).toBe(true);
    expect((fault as UserError).message).toMatch(/found a (loss|gradient).* at step (9|1\d)\./);
    expect((fault as UserError).hint).toContain(latestCheckpoint(run.checkpointFolder)!.path);
    expect((fault as UserError).hint).toContain("lower learning rate");
    expect(run.status()).toBe("failed");
    expect(run.failure).toContain("finite loss");
  });

  it("goes on from the last good checkpoint when the newest is damaged, to the same numbers", async () => {
    const config = tinyConfig(dataset, { checkpoints: { every: 3 }, evaluation: { every: 10, windows: 2 } });
    const whole = newRun(config, dataset);
    await train(config, dataset, whole);
    const stopped = newRun(config, dataset);
    await train(config, dataset, stopped, stopAfter(7));
    const newest = latestCheckpoint(stopped.checkpointFolder)!;
    expect(newest.state.step).toBe(7);
    appendFileSync(join(newest.path, "model.safetensors"), "damage");
    await resume(RunFolder.open(stopped.path));
    expect(rows(stopped)).toEqual(rows(whole));
    expect(finalWeights(stopped)).toEqual(finalWeights(whole));
  });

  it("refuses a split that holds no window before it begins", async () => {
    const config = tinyConfig(dataset, {
      model: { kind: "memory-mosaic", vocabulary: 11, contextLength: 100_000, heads: 2, width: 8 },
    });
    const run = newRun(config, dataset);
    await expect(train(config, dataset, run)).rejects.toThrow("100003 tokens in the train split");
    expect(readMetrics(run.path)).toEqual([]);
  });

  it("refuses a model with too small a vocabulary, and a dataset that has changed", async () => {
    const small = tinyConfig(dataset, {
      model: { kind: "memory-mosaic", vocabulary: 10, contextLength: 8, heads: 2, width: 8 },
    });
    await expect(train(small, dataset, newRun(small, dataset))).rejects.toThrow("11 tokens");
    const config = tinyConfig(tinyDataset({ seed: 2 }));
    await expect(resume(newRun(config, dataset))).rejects.toThrow("with which");
  });
});
