import { describe, expect, it } from "@jest/globals";
import { countParameters, modelParameters } from "@mm/models";
import { parseConfig } from "@mm/run";
import { TrainConfig } from "@mm/train";
import { openRecipe } from "../recipes.js";
import { recallExperiments } from "./experiments.js";

describe("recall experiments", () => {
  it("are by default every recipe on both tasks, the first seed of all before the second of any", () => {
    const names = recallExperiments({ seeds: [0, 1], set: [] }).map(({ name }) => name);
    expect(names).toEqual([
      "recall-distance-gpt2-seed0",
      "recall-distance-memory-mosaic-seed0",
      "recall-distance-memory-mosaic-v2-seed0",
      "recall-distance-modern-transformer-seed0",
      "recall-pairs-gpt2-seed0",
      "recall-pairs-memory-mosaic-seed0",
      "recall-pairs-memory-mosaic-v2-seed0",
      "recall-pairs-modern-transformer-seed0",
      ...names.slice(8),
    ]);
    expect(names.slice(8).every((name) => name.endsWith("-seed1"))).toBe(true);
    expect(new Set(names).size).toBe(16);
  });

  it("take steps, settings and a suffix into account", () => {
    const [one, ...others] = recallExperiments({
      models: ["gpt2"],
      tasks: ["pairs"],
      seeds: [3],
      steps: 7,
      set: ["model.width=32"],
      suffix: "thin",
    });
    expect(others).toEqual([]);
    expect(one).toMatchObject({
      name: "recall-pairs-gpt2-7steps-seed3-thin",
      config: { model: { width: 32 }, protocol: { task: "pairs", steps: 7, seed: 3 } },
    });
  });

  it("compare models of nearly the same number of parameters", () => {
    const counts = recallExperiments({ tasks: ["pairs"], seeds: [0], set: [] }).map(({ config }) =>
      countParameters(modelParameters(config.model)),
    );
    expect(Math.max(...counts) / Math.min(...counts)).toBeLessThan(1.1);
  });
});

describe("the recipes of v2", () => {
  it.each(["stories", "laptop"])("%s/mosaic-v2 is as large as v1 and GPT-2 to within two percent", (folder) => {
    const [v2, ...others] = ["mosaic-v2", "mosaic", "gpt2"].map((name) => {
      const given = { dataset: "datasets/stories", ...(openRecipe(`${folder}/${name}`) as object) };
      const { model, ...rest } = parseConfig(TrainConfig, given, { source: name });
      return { parameters: countParameters(modelParameters(model)), rest };
    });
    for (const other of others) {
      expect(Math.abs(v2!.parameters / other.parameters - 1)).toBeLessThan(0.02);
      expect(v2!.rest).toEqual(other.rest);
    }
  });
});
