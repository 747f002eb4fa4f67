import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { collectProvenance, RunFolder } from "@mm/run";
import { packRun, unpackRun } from "./packed-run.js";
import type { Configuration } from "./recipe.js";
import { countStates, reportSweep } from "./report.js";
import type { Outcome } from "./run-configuration.js";
import { type Executor, runSweep } from "./run-sweep.js";
import { SweepFolder } from "./sweep-folder.js";

const place = () => {
  const results = mkdtempSync(join(tmpdir(), "mm-sweep-"));
  return { root: join(results, "runs"), folder: new SweepFolder(join(results, "sweeps"), "s") };
};

const configurations = ["a", "b", "c", "d"].map(
  (name): Configuration => ({
    digest: name,
    name,
    kind: "train",
    settings: { "model.width": 1 },
    seed: 1,
    config: { name },
  }),
);

/** Leaves a finished run with a loss, or whatever `outcomes` says for the n-th try. */
function executor(root: string, outcomes: Record<string, Outcome[]> = {}, lanes = 2) {
  const tried: string[] = [];
  const state = { most: 0, now: 0 };
  const run: Executor["run"] = async ({ name, config }) => {
    state.most = Math.max(state.most, ++state.now);
    await new Promise((resolve) => setTimeout(resolve, 1));
    state.now--;
    tried.push(name);
    const outcome = outcomes[name]?.shift() ?? { status: "finished" };
    if (outcome.status === "finished") {
      const provenance = collectProvenance({ backend: "cpu", seed: 1, tags: { sweep: "s" } });
      const folder = RunFolder.create(root, name, config, provenance);
      folder.metrics.append([{ run: name, step: 1, split: "valid", metric: "loss", value: 2, tags: {} }]);
      folder.finish();
    }
    return outcome;
  };
  return { tried, state, lanes, run, close: async () => {} };
}

const failure: Outcome = { status: "failed", reason: "exit code 2: no memory" };
const quiet = { signal: new AbortController().signal, retries: 1 };

describe("a sweep", () => {
  it("runs every configuration once, a few at a time, and nothing the second time", async () => {
    const { root, folder } = place();
    folder.write(configurations);
    const first = executor(root);
    expect(await runSweep(configurations, first, { root, folder, ...quiet })).toEqual({
      configurations: 4,
      skipped: 0,
      finished: 4,
      failed: [],
      left: 0,
    });
    expect([...first.tried].sort()).toEqual(["a", "b", "c", "d"]);
    expect(first.state.most).toBe(2);
    const second = executor(root);
    expect(await runSweep(folder.read(), second, { root, folder, ...quiet })).toMatchObject({
      skipped: 4,
      finished: 0,
    });
    expect(second.tried).toEqual([]);
  });

  it("tries a failed run again, reports the one that keeps failing, and does the others", async () => {
    const { root, folder } = place();
    folder.write(configurations);
    const work = executor(root, { b: [failure, failure, failure], c: [failure] });
    const summary = await runSweep(configurations, work, { root, folder, ...quiet });
    expect(summary).toMatchObject({ finished: 3, failed: [{ name: "b", reason: "exit code 2: no memory" }], left: 0 });
    expect(work.tried.filter((name) => name === "b")).toHaveLength(2);
    const reports = reportSweep(configurations, folder, root);
    expect(countStates(reports)).toBe("3 of 4 finished, 1 failed");
    expect(reports.at(-1)).toMatchObject({ name: "b", failures: 2, reason: "exit code 2: no memory" });
    expect(reports[0]!.results).toEqual({ validLoss: 2 });
  });

  it("does not count a worker's interruption as a try", async () => {
    const { root, folder } = place();
    folder.write(configurations);
    const pause: Outcome = { status: "interrupted" };
    const work = executor(root, { a: [pause, pause, pause] });
    expect(await runSweep(configurations, work, { root, folder, ...quiet })).toMatchObject({ finished: 4, failed: [] });
  });

  it("stops at Ctrl-C and says what is left", async () => {
    const { root, folder } = place();
    folder.write(configurations);
    const stop = new AbortController();
    const work = executor(root, {}, 1);
    const options = { root, folder, retries: 1, signal: stop.signal, onEnd: () => stop.abort() };
    expect(await runSweep(configurations, work, options)).toMatchObject({ finished: 1, left: 3 });
  });

  it("sends a run's numbers to a folder that is not shared", async () => {
    const here = place();
    const there = place();
    await executor(there.root).run(configurations[0]!, quiet.signal);
    unpackRun(packRun(join(there.root, "a")), join(here.root, "a"));
    const run = RunFolder.open(join(here.root, "a"));
    expect([run.status(), run.config, run.provenance.tags]).toEqual(["finished", { name: "a" }, { sweep: "s" }]);
    expect(reportSweep(configurations, here.folder, here.root)[0]!.results).toEqual({ validLoss: 2 });
  });
});
