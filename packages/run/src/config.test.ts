import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { z } from "zod";
import { applySettings, parseConfig, readRecipe } from "./config.js";
import { isUserError, type UserError } from "./errors.js";
import { temporaryFolder } from "./testing/temporary-folder.js";

function faultOf(action: () => unknown): UserError {
  try {
    action();
  } catch (error) {
    if (isUserError(error)) return error;
    throw error;
  }
  throw new Error("expected a UserError, but nothing was thrown");
}

function recipe(text: string): string {
  const path = join(temporaryFolder(), "recipe.yaml");
  writeFileSync(path, text);
  return path;
}

describe("readRecipe", () => {
  it("reads YAML as plain data, powers of ten as numbers", () => {
    expect(readRecipe(recipe("model:\n  kind: gpt2\n  blocks: 2\nlearningRate: 5e-3\n"))).toEqual({
      model: { kind: "gpt2", blocks: 2 },
      learningRate: 0.005,
    });
  });
  it("reads an empty file as no settings", () => {
    expect(readRecipe(recipe(""))).toEqual({});
  });
  it("names file and line of a mistake", () => {
    const path = recipe("model:\n  kind: gpt2\n  blocks: [1, 2\n");
    expect(faultOf(() => readRecipe(path)).message).toContain(`${path}:4:1`);
  });
  it("says so when there is no such file", () => {
    expect(faultOf(() => readRecipe("/nowhere/recipe.yaml")).message).toContain("no such file");
  });
});

describe("applySettings", () => {
  it("sets nested values, parsed as YAML, and leaves the given object alone", () => {
    const given = { model: { kind: "gpt2", blocks: 1 } };
    const set = applySettings(given, ["model.blocks=2", "train.rate=1e-3", "tags=[a, b]", "name=x=y", "on=true"]);
    expect(set).toEqual({
      model: { kind: "gpt2", blocks: 2 },
      train: { rate: 0.001 },
      tags: ["a", "b"],
      name: "x=y",
      on: true,
    });
    expect(given).toEqual({ model: { kind: "gpt2", blocks: 1 } });
  });
  it("lets the last of two settings win", () => {
    expect(applySettings({}, ["a=1", "a=2"])).toEqual({ a: 2 });
  });
  it.each(["blocks", "=2", "model..blocks=2", ".a=1"])("refuses %j, which is no setting", (setting) => {
    expect(faultOf(() => applySettings({}, [setting])).message).toContain(JSON.stringify(setting));
  });
  it("refuses a path that runs through a number", () => {
    expect(faultOf(() => applySettings({ model: 3 }, ["model.blocks=2"])).message).toContain("model is 3");
  });
  it("cannot reach the prototype of objects", () => {
    applySettings({}, ["__proto__.polluted=1", "constructor.prototype.polluted=1"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
  it("gives back any value at any path", () => {
    const key = fc.stringMatching(/^[a-z]{1,6}$/);
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 4 }), fc.double({ noNaN: true }), (path, value) => {
        let at = applySettings({}, [
          `${path.join(".")}=${value === Infinity ? ".inf" : value === -Infinity ? "-.inf" : value}`,
        ]);
        for (const name of path) at = (at as Record<string, unknown>)[name];
        return at === value;
      }),
    );
  });
});

describe("parseConfig", () => {
  const schema = z.strictObject({
    steps: z.int().positive().default(100),
    model: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("gpt2"), blocks: z.int().default(1) }),
      z.strictObject({ kind: z.literal("memory-mosaic"), slots: z.int() }),
    ]),
  });

  it("fills in the defaults of the schema", () => {
    expect(parseConfig(schema, { model: { kind: "gpt2" } }, { source: "a.yaml" })).toEqual({
      steps: 100,
      model: { kind: "gpt2", blocks: 1 },
    });
  });
  it("names path, expected and found for every fault", () => {
    const { message } = faultOf(() =>
      parseConfig(schema, { steps: -1, model: { kind: "gpt2", blocks: "two" } }, { source: "a.yaml" }),
    );
    expect(message).toContain("a.yaml");
    expect(message).toMatch(/steps: .*>0, found -1/);
    expect(message).toMatch(/model\.blocks: expected .*(int|number), found "two"/);
  });
  it("does not repeat what is secret in an address", () => {
    const address = "http://me:pass@host/v1?key=sk-1";
    const { message } = faultOf(() => parseConfig(schema, { steps: address }, { source: "--set" }));
    expect(message).toContain('found "http://…@host/v1?…"');
  });
  it("refuses an unknown key and lists the known ones", () => {
    const fault = faultOf(() => parseConfig(schema, { model: { kind: "gpt2", block: 2 } }, { source: "--set" }));
    expect(fault.message).toContain("model.block: unknown key");
    expect(fault.hint).toBe("Known names there: kind, blocks.");
  });
  it("refuses an unknown key also where the schema would drop it", () => {
    const loose = z.object({ rate: z.number(), inner: z.object({ a: z.number().optional() }) });
    const fault = faultOf(() => parseConfig(loose, { rate: 1, inner: { b: 2 } }, { source: "--set" }));
    expect(fault.message).toContain("inner.b: unknown key");
    expect(fault.hint).toContain("a");
  });
});
