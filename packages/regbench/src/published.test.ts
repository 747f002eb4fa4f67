import { describe, expect, it } from "@jest/globals";
import { icllPoints, publishedConfigurations, publishedSearchSpace } from "./published.js";

const BASELINES = "h3 hyena linear-transformer lstm mamba retnet rwkv s4d transformer".split(" ");

describe("published values", () => {
  it("hold nine systems in both metrics, as shares between 0 and 1", () => {
    expect([...new Set(icllPoints.map((point) => point.model))].sort()).toEqual(BASELINES);
    for (const { value } of icllPoints) expect(value > 0 && value < 1).toBe(true);
  });
  it("give .925 and .208 for the Transformer after 2,500 languages", () => {
    const found = icllPoints.filter(({ model, environments }) => model === "transformer" && environments === 2500);
    expect(found.map(({ metric, value }) => [metric, value])).toEqual([
      ["dfaAccuracy", 0.925],
      ["totalVariation", 0.208],
    ]);
  });
  it("name a configuration inside the search space for every baseline but GLA at the three common sizes", () => {
    for (const size of [1000, 2500, 40000]) {
      const models = publishedConfigurations
        .filter(({ environments }) => environments === size)
        .map((one) => one.model);
      expect(models.sort()).toEqual(BASELINES);
    }
    for (const one of publishedConfigurations) {
      for (const field of ["width", "layers", "learningRate", "weightDecay"] as const)
        expect(publishedSearchSpace[field]).toContain(one[field]);
    }
  });
});
