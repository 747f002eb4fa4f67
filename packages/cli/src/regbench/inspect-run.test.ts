import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { createModel, ModelConfig, saveWeights } from "@mm/models";
import { selectBackend } from "@mm/ops";
import { collectProvenance, Rng, RunFolder, readMetrics } from "@mm/run";
import { createReporter } from "../reporter.js";
import { findProblem, inspectWeights, printInspection, storeInspection } from "./inspect-run.js";
import { scoreReferences } from "./references.js";

const reporter = createReporter({ quiet: true });
const backend = { name: "cpu", version: "0", reason: "test", threads: 1, precision: "fp32" } as const;

beforeAll(() => selectBackend("wasm"));

describe("one problem laid open", () => {
  it("shows what was read, allowed and said, and stores it as JSON and rows", async () => {
    const folder = mkdtempSync(join(tmpdir(), "mm-inspect-"));
    const size = { vocabulary: 20, contextLength: 1000, blocks: 1, heads: 2, width: 8, slots: 4 };
    const model = createModel(ModelConfig.parse({ kind: "memory-mosaic", ...size }), Rng.fromSeed(0));
    await saveWeights(model, join(folder, "model.safetensors"));
    model.dispose();

    const inspection = await inspectWeights(join(folder, "model.safetensors"), "valid-2", 0);
    const problem = findProblem("valid-2", 0);
    expect(inspection.positions).toHaveLength(problem.input.length);
    expect(inspection.reads.map(({ layer, head }) => [layer, head])).toEqual([
      ["blocks.0.attn", 0],
      ["blocks.0.attn", 1],
    ]);
    for (const { weights } of inspection.reads) expect(weights.reduce((sum, weight) => sum + weight)).toBeCloseTo(1, 5);

    const printed = printInspection(inspection).split("\n").slice(2);
    const strings = printed.filter((line) => /^ *\d/.test(line)).map((line) => line.slice(5));
    expect(strings.join("|")).toBe(inspection.text);
    const wrong = printed
      .filter((line) => !/^ *\d/.test(line))
      .join("")
      .replaceAll(" ", "").length;
    expect(wrong).toBe(inspection.positions.filter(({ correct, label }) => label !== null && !correct).length);

    const run = RunFolder.create(folder, "run", {}, collectProvenance({ backend: "cpu", seed: 0 }));
    const at = storeInspection(run, 5, inspection);
    expect(JSON.parse(readFileSync(join(at, "problem.json"), "utf8")).text).toBe(inspection.text);
    const rows = readMetrics(at);
    const exact = rows.filter(({ metric, tags }) => metric === "inspectedTotalVariation" && tags["reader"] === "exact");
    expect(exact.map(({ value }) => value)).toEqual(inspection.positions.map(() => 0));
    expect(rows.filter(({ metric }) => metric === "inspectedReadWeight")).toHaveLength(2 * problem.input.length);
  });

  it("is found by split and number", () => {
    expect(findProblem("test-3", 0).id).toBe("test-3");
    expect(findProblem("train-0", 1).text).not.toEqual(findProblem("train-0", 0).text);
    expect(() => findProblem("17", 0)).toThrow(/test-17/);
  });
});

describe("the references", () => {
  it("are stored under the names that the figure expects", async () => {
    const root = mkdtempSync(join(tmpdir(), "mm-references-"));
    const settings = { root, name: "references", problems: 8, slowProblems: 0, dataSeed: 0 };
    const { run, scores } = await scoreReferences(settings, { backend, reporter });
    expect(scores.map(({ model, problems }) => `${model} ${problems}`)).toEqual([
      "2-gram 8",
      "3-gram 8",
      "4-gram 8",
      "bayes-told-states 8",
    ]);
    const accuracy = Object.fromEntries(scores.map(({ model, dfaAccuracy }) => [model, dfaAccuracy]));
    expect(accuracy["2-gram"]).toBeLessThan(accuracy["3-gram"]!);
    expect(accuracy["3-gram"]).toBeLessThan(accuracy["bayes-told-states"]!);
    expect(run.status()).toBe("finished");
    const rows = readMetrics(run.evalFolder("regbench")).filter(
      ({ metric, tags }) => metric === "dfaAccuracy" && tags["average"] === "batch",
    );
    expect(rows.map(({ tags, value }) => [tags["model"], value])).toEqual(Object.entries(accuracy));
    expect(rows.every(({ tags }) => !("environments" in tags))).toBe(true);
  });
});
