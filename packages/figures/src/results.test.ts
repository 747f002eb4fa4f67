import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { archiveRun, collectProvenance, MetricLog, RunFolder } from "@mm/run";
import { readResults } from "./results.js";

describe("readResults", () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "mm-results-"));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it("reads an archived run, and the run itself where that is still there", () => {
    const provenance = collectProvenance({ backend: "cpu", seed: 4 });
    const run = RunFolder.create(join(root, "runs"), "one", { model: { kind: "gpt2" } }, provenance);
    run.metrics.append([{ run: "one", step: 1, split: "train", metric: "loss", value: 2, tags: {} }]);
    const evaluation = new MetricLog(run.evalFolder("regbench"));
    evaluation.append([{ run: "one", step: 1, split: "test", metric: "dfaAccuracy", value: 0.5, tags: {} }]);
    evaluation.close();
    run.finish();
    archiveRun(run, join(root, "archive"));
    const metrics = () => readResults({ resultsFolder: root }).rows.map(({ metric }) => metric);
    expect(metrics()).toEqual(["loss", "dfaAccuracy"]);
    rmSync(run.path, { recursive: true });
    expect(metrics()).toEqual(["dfaAccuracy"]);
    const [row] = readResults({ resultsFolder: root }).rows;
    expect(row!.tags).toMatchObject({ model: "gpt2", seed: 4 });
  });
});
