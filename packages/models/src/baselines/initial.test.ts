/** Initial distributions of RegBench's baselines, as read from instances of the published classes. */
import { describe, expect, it } from "@jest/globals";
import { Rng } from "@mm/run";
import { isDecayed, type ParameterTable, sizeOf } from "../parameters.js";
import { ModelConfig, modelParameters } from "../zoo.js";

const table = (kind: string) => modelParameters(ModelConfig.parse({ kind, width: 96, blocks: 3, vocabulary: 200 }));

function deviation(parameters: ParameterTable, name: string): number {
  const { initial, shape } = parameters[name]!;
  const values = initial(Rng.fromSeed(1).fork(name), sizeOf(shape));
  return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
}

const mixer = "backbone.layers.1.mixer";
const OUTPUT = 0.02 / Math.sqrt(6);

describe("initial weights", () => {
  it.each([
    ["linear-transformer", "Wqkv.weight", 0.02],
    ["linear-transformer", "out_proj.weight", OUTPUT],
    ["retnet", "v_proj.weight", 0.02],
    ["retnet", "out_proj.weight", OUTPUT],
    // The pass over the whole model overwrites the gains of GLA's authors.
    ["gla", "k_gate.0.weight", 0.02],
    ["gla", "g_proj.weight", 0.02],
    ["gla", "out_proj.weight", OUTPUT],
    // RWKV's map of the result has another name, which the pass does not know.
    ["rwkv", "key.weight", 0.02],
    ["rwkv", "output.weight", 0.02],
    ["rwkv", "time_mix_k", 1],
    ["rwkv", "time_decay", 1],
    ["rwkv", "time_first", 1],
  ])("of %s: %s has deviation %d", (kind, name, expected) => {
    const parameters = table(kind);
    const found = deviation(parameters, `${mixer}.${name}`);
    const size = sizeOf(parameters[`${mixer}.${name}`]!.shape);
    expect(Math.abs(found / expected - 1)).toBeLessThan(4 / Math.sqrt(2 * size));
  });

  it.each(["linear-transformer", "retnet", "gla"])("of %s: biases are zero", (kind) => {
    const parameters = table(kind);
    const biases = Object.keys(parameters).filter((name) => name.endsWith(".bias"));
    expect(biases.some((name) => name.startsWith(mixer))).toBe(true);
    for (const name of biases) expect(deviation(parameters, name)).toBe(0);
  });
});

describe("weight decay", () => {
  it.each(["transformer", "linear-transformer", "retnet", "gla", "rwkv", "lstm"])("acts on all of %s", (kind) => {
    expect(Object.values(table(kind)).every(isDecayed)).toBe(true);
  });
});
