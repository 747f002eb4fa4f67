import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { archiveRun } from "./archive.js";
import { MetricLog, type MetricRow, readMetrics } from "./metrics.js";
import { collectProvenance } from "./provenance.js";
import { listRuns, RunFolder } from "./run-folder.js";
import { temporaryFolder } from "./testing/temporary-folder.js";

const row = (metric: string, tags: MetricRow["tags"] = {}): MetricRow => {
  return { run: "one", step: 3, split: "test", metric, value: 0.5, tags };
};

function evaluatedRun(root: string): RunFolder {
  const run = RunFolder.create(join(root, "runs"), "one", { steps: 3 }, collectProvenance({ backend: "cpu", seed: 1 }));
  run.metrics.append([row("loss")]);
  const evaluation = new MetricLog(run.evalFolder("regbench"));
  evaluation.append([row("dfaAccuracy"), row("dfaAccuracyByPosition", { position: 7 })]);
  evaluation.close();
  return run;
}

describe("archiveRun", () => {
  it("keeps configuration, provenance and scores, and reads as a finished run", () => {
    const root = temporaryFolder();
    const run = evaluatedRun(root);
    run.finish();
    archiveRun(run, join(root, "archive"));
    const [archived] = listRuns(join(root, "archive"));
    expect(archived!.name).toBe("one");
    expect(archived!.status()).toBe("finished");
    expect(archived!.config).toEqual({ steps: 3 });
    expect(archived!.provenance).toEqual(run.provenance);
    expect(readMetrics(archived!.path)).toEqual([row("dfaAccuracy")]);
  });

  it("refuses a run that is at work, or was never evaluated, and writes nothing", () => {
    const root = temporaryFolder();
    expect(() => archiveRun(evaluatedRun(root), join(root, "archive"))).toThrow("it is running");
    const bare = RunFolder.create(root, "bare", {}, collectProvenance({ backend: "cpu", seed: 1 }));
    bare.finish();
    expect(() => archiveRun(bare, join(root, "archive"))).toThrow("found none");
    expect(existsSync(join(root, "archive"))).toBe(false);
  });
});
