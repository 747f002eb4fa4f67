import { appendFileSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { createModel, ModelConfig } from "@mm/models";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { temporaryFolder } from "../../run/src/testing/temporary-folder.js";
import { AdamW } from "./adamw.js";
import {
  bestCheckpoint,
  latestCheckpoint,
  listCheckpoints,
  restoreCheckpoint,
  saveCheckpoint,
  type TrainingState,
} from "./checkpoint.js";
import { tinyModel } from "./testing/tiny-dataset.js";

const settings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const keep = { keepLast: 2, keepBest: true };

let folder: string;
beforeAll(() => tf.setBackend("cpu"));
beforeEach(() => {
  folder = temporaryFolder();
});

function made(seed: number, changes: Record<string, unknown> = {}) {
  const model = createModel(ModelConfig.parse({ ...tinyModel, ...changes }), Rng.fromSeed(seed));
  const optimizer = new AdamW(model.variables(), (name) => model.decayed(name), settings);
  const rng = Rng.fromSeed(seed).fork("moments");
  for (const { first, second } of Object.values(optimizer.moments)) {
    for (const moment of [first, second]) {
      tf.tidy(() => moment.assign(tf.tensor(rng.uniforms(moment.size), moment.shape)));
    }
  }
  return { model, optimizer };
}

const state = (step: number, best: TrainingState["best"] = null): TrainingState => ({
  step,
  trainLoss: 2,
  evaluation: { valid: 2.5 },
  best,
});

const names = () => readdirSync(folder).sort();
const numbers = ({ model, optimizer }: ReturnType<typeof made>) =>
  [
    ...Object.values(model.variables()),
    ...Object.values(optimizer.moments).flatMap(({ first, second }) => [first, second]),
  ].map((variable) => [...variable.dataSync()]);

describe("checkpoints", () => {
  it("bring back weights, moments, step and state exactly", async () => {
    const saved = made(1);
    await saveCheckpoint(folder, saved.model, saved.optimizer, state(7, { step: 5, loss: 2.25 }), keep);
    const other = made(2);
    expect(numbers(other)).not.toEqual(numbers(saved));
    const checkpoint = latestCheckpoint(folder)!;
    restoreCheckpoint(checkpoint, other.model, other.optimizer);
    expect(numbers(other)).toEqual(numbers(saved));
    expect(other.optimizer.steps).toBe(7);
    expect(checkpoint.state).toEqual(state(7, { step: 5, loss: 2.25 }));
  });

  it("keep the last ones and the best", async () => {
    const { model, optimizer } = made(1);
    for (const step of [1, 2, 3, 4, 5]) {
      const best = { step: Math.min(step, 2), loss: 1 };
      await saveCheckpoint(folder, model, optimizer, state(step, best), keep);
    }
    expect(listCheckpoints(folder).map((each) => each.state.step)).toEqual([2, 4, 5]);
    expect(bestCheckpoint(folder)?.state.step).toBe(2);
    expect(latestCheckpoint(folder)?.state.step).toBe(5);
    await saveCheckpoint(folder, model, optimizer, state(6, { step: 6, loss: 0.5 }), { keepLast: 1, keepBest: true });
    expect(names()).toEqual(["step-00000006"]);
  });

  it.each(["model.safetensors", "optimizer.safetensors"])(
    "are passed over when a byte of %s has changed, is missing, or the file is",
    async (file) => {
      const { model, optimizer } = made(1);
      await saveCheckpoint(folder, model, optimizer, state(1), keep);
      for (const damage of [
        (path: string) => appendFileSync(path, "x"),
        (path: string) => truncateSync(path, 100),
        (path: string) => rmSync(path),
      ]) {
        const { path } = await saveCheckpoint(folder, model, optimizer, state(2), keep);
        expect(latestCheckpoint(folder)?.state.step).toBe(2);
        damage(join(path, file));
        expect(latestCheckpoint(folder)?.state.step).toBe(1);
      }
    },
  );

  it("do not count before state.json is there, and are cleared away then", async () => {
    const { model, optimizer } = made(1);
    await saveCheckpoint(folder, model, optimizer, state(1), keep);
    mkdirSync(join(folder, "step-00000002"));
    writeFileSync(join(folder, "step-00000002", "model.safetensors"), "half");
    mkdirSync(join(folder, "step-00000003"));
    writeFileSync(join(folder, "step-00000003", "state.json"), '{ "step": 3, "fi');
    expect(latestCheckpoint(folder)?.state.step).toBe(1);
    await saveCheckpoint(folder, model, optimizer, state(4), keep);
    expect(names()).toEqual(["step-00000001", "step-00000004"]);
  });

  it("of another model are refused by name", async () => {
    const { model, optimizer } = made(1);
    const checkpoint = await saveCheckpoint(folder, model, optimizer, state(1), keep);
    const other = made(1, { slots: 7 });
    expect(() => restoreCheckpoint(checkpoint, other.model, other.optimizer)).toThrow(/M_k0/);
  });

  it("are none where there is no folder", () => {
    expect(latestCheckpoint(join(folder, "missing"))).toBeUndefined();
    expect(bestCheckpoint(join(folder, "missing"))).toBeUndefined();
  });
});
