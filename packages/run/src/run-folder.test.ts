import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { isUserError } from "./errors.js";
import { collectProvenance } from "./provenance.js";
import { listRuns, RunFolder } from "./run-folder.js";
import { startChild } from "./testing/child-process.js";
import { temporaryFolder } from "./testing/temporary-folder.js";

const root = temporaryFolder;
const provenance = collectProvenance({ backend: "cpu", seed: 1 });
const create = (at: string, name: string, force = false) =>
  RunFolder.create(at, name, { steps: 3 }, provenance, { force });

function expectUserError(action: () => unknown, part: string): void {
  try {
    action();
  } catch (error) {
    expect(isUserError(error) && error.message).toContain(part);
    return;
  }
  throw new Error("expected a UserError, but nothing was thrown");
}

describe("RunFolder", () => {
  it("gives back configuration and provenance when opened", () => {
    const at = root();
    create(at, "one");
    const opened = RunFolder.open(join(at, "one"));
    expect(opened.name).toBe("one");
    expect(opened.config).toEqual({ steps: 3 });
    expect(opened.provenance).toEqual(provenance);
  });
  it("is running, then finished, interrupted or failed with a reason", () => {
    const run = create(root(), "one");
    expect(run.status()).toBe("running");
    run.finish();
    expect(run.status()).toBe("finished");
    run.start();
    run.interrupt();
    expect(run.status()).toBe("interrupted");
    run.fail("the loss became NaN");
    expect(run.status()).toBe("failed");
    expect(run.failure).toBe("the loss became NaN");
  });
  it("counts a run whose process was killed as interrupted", async () => {
    const at = root();
    const url = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
    const child = startChild(`
      import { RunFolder } from ${url("./run-folder.ts")};
      RunFolder.create(${JSON.stringify(at)}, "one", {}, {});
      console.log("made");
      setInterval(() => {}, 1000);`);
    await child.printed("made");
    const run = RunFolder.open(join(at, "one"));
    expect(run.status()).toBe("running");
    expectUserError(() => run.start(), `process ${child.process.pid}`);
    expectUserError(() => create(at, "one", true), `process ${child.process.pid}`);
    child.process.kill("SIGKILL");
    await child.ended;
    expect(run.status()).toBe("interrupted");
  });
  it("does not overwrite a run, unless forced", () => {
    const at = root();
    create(at, "one").metrics.append([{ run: "one", step: 1, split: "train", metric: "loss", value: 1, tags: {} }]);
    expectUserError(() => create(at, "one"), "exists");
    create(at, "one", true);
    expect(RunFolder.open(join(at, "one")).status()).toBe("running");
  });
  it("never removes a folder that is not a run", () => {
    const at = root();
    mkdirSync(join(at, "thesis"));
    writeFileSync(join(at, "thesis", "chapter.tex"), "…");
    expectUserError(() => create(at, "thesis", true), "exists");
  });
  it.each(["", "a/b", "..", ".hidden", "a b"])("refuses the name %j", (name) => {
    expectUserError(() => create(root(), name), "run name");
  });
  it("does not take a folder without config.json for a run", () => {
    const at = root();
    mkdirSync(join(at, "half"));
    expectUserError(() => RunFolder.open(join(at, "half")), "config.json");
    expect(listRuns(at)).toEqual([]);
  });
  it("lists the runs by name, and none where there is nothing", () => {
    const at = root();
    create(at, "b");
    create(at, "a");
    expect(listRuns(at).map((run) => run.name)).toEqual(["a", "b"]);
    expect(listRuns(join(at, "missing"))).toEqual([]);
  });
});

describe("collectProvenance", () => {
  it("records code, machine, data and command", () => {
    const facts = collectProvenance({
      backend: { name: "wasm", version: "4.22.0" },
      dataset: { path: "datasets/stories", digest: "ab12" },
      seed: 7,
    });
    expect(facts.commit === null || /^[0-9a-f]{40}$/.test(facts.commit)).toBe(true);
    expect(facts.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(facts).toMatchObject({
      node: process.version,
      backend: { name: "wasm", version: "4.22.0" },
      dataset: { path: "datasets/stories", digest: "ab12" },
      seed: 7,
    });
    expect(facts.cores).toBeGreaterThan(0);
    expect(Date.parse(facts.date)).not.toBeNaN();
  });
});
