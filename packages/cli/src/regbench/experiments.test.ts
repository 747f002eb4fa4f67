import { describe, expect, it } from "@jest/globals";
import { figureModels } from "./beside-published.js";
import { protocolMark } from "./config.js";
import { type ExperimentChoice, experiments } from "./experiments.js";

const choose = (choice: Partial<ExperimentChoice>) =>
  experiments({ models: [], recipes: [], seeds: [0], set: [], ...choice });

describe("the experiments of a command line", () => {
  it("are every model at every size with every seed, small training sets first", () => {
    const found = choose({ models: ["memory-mosaic", "transformer"], environments: [500, 100], seeds: [0, 1] });
    expect(found.map(({ name }) => name)).toEqual([
      "regbench-memory-mosaic-100-seed0",
      "regbench-transformer-100-seed0",
      "regbench-memory-mosaic-100-seed1",
      "regbench-transformer-100-seed1",
      "regbench-memory-mosaic-500-seed0",
      "regbench-transformer-500-seed0",
      "regbench-memory-mosaic-500-seed1",
      "regbench-transformer-500-seed1",
    ]);
  });

  it("use the published winner of a size where there is one", () => {
    const [small, large] = choose({ models: ["transformer"], environments: [100, 2500] });
    expect([small!.recipe, large!.recipe]).toEqual(["regbench/transformer", "regbench/transformer-2500"]);
    expect([small!.config.model.blocks, large!.config.model.blocks]).toEqual([2, 8]);
  });

  it("take a recipe as it is, with the name that its model and size would give", () => {
    const [one] = choose({ recipes: ["regbench/mamba-2500"] });
    expect(one).toMatchObject({ name: "regbench-mamba-2500-seed0", model: "mamba" });
    expect(one!.config).toMatchObject({ model: { kind: "mamba", width: 512 }, protocol: { environments: 2500 } });
    expect(choose({ recipes: ["regbench/mamba-2500"], environments: [7] })[0]!.name).toBe(
      "regbench-mamba-2500-7-seed0",
    );
  });

  it("have a recipe for each of the figure's eleven models, under the model's own name", () => {
    const found = choose({ models: figureModels, environments: [100] });
    expect(found).toHaveLength(11);
    for (const { model, config } of found) expect(config.model.kind).toBe(model);
    for (const { config } of found) expect(protocolMark(config.protocol)).toBe("full");
  });

  it("are marked as shortened with fewer epochs or problems than published", () => {
    const mark = (set: string[]) => protocolMark(choose({ models: ["memory-mosaic"], set })[0]!.config.protocol);
    expect(mark([])).toBe("full");
    expect(mark(["protocol.epochs=400"])).toBe("full");
    expect(mark(["protocol.epochs=199"])).toBe("shortened");
    expect(mark(["protocol.test=100"])).toBe("shortened");
  });
});
