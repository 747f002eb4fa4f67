import { describe, expect, it } from "@jest/globals";
import { parseConfig } from "@mm/run";
import { TrainConfig } from "./config.js";

const least = { dataset: "datasets/stories", model: { kind: "memory-mosaic" } };
const parse = (value: unknown) => parseConfig(TrainConfig, value, { source: "the recipe" });

describe("TrainConfig", () => {
  it("has the paper's settings as defaults", () => {
    expect(parse(least)).toMatchObject({
      steps: 80_000,
      batch: 8,
      accumulation: 64,
      contextLength: 512,
      schedule: { kind: "cosine", learningRate: 5e-3, minimum: 1e-4, warmup: 2000, decaySteps: 80_000 },
      optimizer: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clip: 1 },
      evaluation: { every: 2000, windows: 5120, batch: 8 },
      model: { width: 768, heads: 12, slots: 2688 },
    });
  });
  it("parses what it has resolved to the same, so that a stored configuration means what it says", () => {
    const resolved = parse({ ...least, steps: 100 });
    expect(parse(JSON.parse(JSON.stringify(resolved)))).toEqual(resolved);
  });
  it("refuses misspelt names wherever they are", () => {
    expect(() => parse({ ...least, step: 3 })).toThrow("step: unknown key");
    expect(() => parse({ ...least, schedule: { kind: "cosine", warmUp: 3 } })).toThrow("schedule.warmUp: unknown key");
    expect(() => parse({ ...least, model: { kind: "gpt2", slots: 3 } })).toThrow("model.slots: unknown key");
  });
  it("refuses a window longer than the model can read", () => {
    expect(() => parse({ ...least, contextLength: 513 })).toThrow("contextLength");
  });
});
