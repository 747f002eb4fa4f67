import { describe, expect, it } from "@jest/globals";
import { isUserError, parseConfig } from "@mm/run";
import { recipes } from "../recipes.js";
import { digestOf, type ExpandOptions, expandSweep, openSweep, SweepRecipe, sweepName, tagsOf } from "./recipe.js";

const base = {
  model: { kind: "gpt2", vocabulary: 20, contextLength: 64, blocks: 1, heads: 2, width: 16 },
  protocol: { environments: 10 },
};
const expand = (recipe: object, options: Partial<ExpandOptions> = {}) =>
  expandSweep(parseConfig(SweepRecipe, { kind: "regbench", base, ...recipe }, { source: "test" }), {
    name: "grid",
    ...options,
  });

function hintOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    if (isUserError(error)) return error.hint;
  }
  return undefined;
}

describe("a sweep's recipe", () => {
  it("gives every combination of the grid with every entry of the list and every seed", () => {
    const found = expand({
      grid: { "model.width": [16, 32], "protocol.learningRate": [1e-4, 2.5e-4] },
      list: [{ "model.blocks": 1 }, { "model.blocks": 2, "model.dropout": 0.2 }],
      seeds: [0, 1, 2],
    });
    expect(found).toHaveLength(2 * 2 * 2 * 3);
    expect(found[0]!.settings).toEqual({ "model.blocks": 1, "model.width": 16, "protocol.learningRate": 1e-4 });
    expect(found.at(-1)).toMatchObject({
      seed: 2,
      settings: { "model.blocks": 2, "model.dropout": 0.2, "model.width": 32, "protocol.learningRate": 2.5e-4 },
      config: { model: { blocks: 2, width: 32, dropout: 0.2 }, protocol: { learningRate: 2.5e-4, seed: 2 } },
    });
  });

  it("asks for a dataset, and for a recipe by its likely name", () => {
    expect(() => expandSweep(openSweep("sweeps/gpt2"), { name: "grid" })).toThrow(
      "neither the sweep nor its base names",
    );
    expect(expandSweep(openSweep("sweeps/gpt2"), { name: "grid", set: ["dataset=d"] })).toHaveLength(18);
    expect(hintOf(() => openSweep("sweeps/gtp2"))).toMatch(/^Did you mean sweeps\/gpt2\? /);
    expect(hintOf(() => openSweep("nothing-like-it"))).toMatch(/^`mm list recipes`/);
  });

  it("gives configurations that come out the same only once", () => {
    const found = expand({ grid: { "model.width": [16, 32, 16] }, list: [{}, { "protocol.environments": 10 }] });
    expect(found.map(({ config }) => (config as typeof base).model.width)).toEqual([16, 32]);
  });

  it("names a run after the whole configuration, whatever the order of its fields", () => {
    expect(digestOf({ a: 1, b: { c: 2, d: [3] } })).toBe(digestOf({ b: { d: [3], c: 2 }, a: 1 }));
    expect(digestOf({ a: 1 })).not.toBe(digestOf({ a: 2 }));
    const [one] = expand({});
    expect(one!.name).toBe(`grid-${one!.digest}`);
    expect(expand({}, { set: ["protocol.epochs=3"] })[0]!.digest).not.toBe(one!.digest);
  });

  it("marks rows with the sweep and the fields that vary", () => {
    const [one] = expand({ grid: { "model.width": [32] } });
    expect(tagsOf(one!, "grid")).toEqual({ sweep: "grid", "set.model.width": 32 });
  });

  it("says which settings make no configuration", () => {
    expect(() => expand({ grid: { "model.layers": [1] } })).toThrow(/model.layers=1.*model.layers: unknown key/s);
    expect(() => expand({ grid: { "model.width": [] } })).toThrow(/grid.model.width/);
  });

  it("is called like its file", () => {
    expect(sweepName("sweeps/regbench-heads")).toBe("regbench-heads");
    expect(sweepName("../my.grid.yaml")).toBe("my.grid");
  });

  const shipped = recipes().filter(({ name }) => name.startsWith("sweeps/"));
  it.each(shipped.map(({ name }) => name))("%s holds valid configurations", (name) => {
    expect(
      expandSweep(openSweep(name), { name: "all", set: ["dataset=x"].slice(+name.includes("regbench")) }).length,
    ).toBeGreaterThan(4);
  });

  it("spans the published search space of RegBench", () => {
    expect(expandSweep(openSweep("sweeps/regbench"), { name: "all" })).toHaveLength(200);
    expect(expandSweep(openSweep("sweeps/regbench-heads"), { name: "all", base: ["regbench/retnet"] })).toHaveLength(
      600,
    );
  });
});
