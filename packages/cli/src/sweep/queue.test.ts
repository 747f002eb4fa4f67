/** A real Redis server, real workers, and a real kill. */
import type { ChildProcess } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { listRuns, readMetrics } from "@mm/run";
import { startRedis, withoutRedis } from "../../../data/src/llm/testing/redis-server.js";
import { startChild } from "../../../run/src/testing/child-process.js";
import { inTemporaryFolder, runMm } from "../testing/run-mm.js";
import { SweepFolder } from "./sweep-folder.js";

/** The reason stands in the name of the skipped tests. */
const withRedis = withoutRedis === "" ? describe : describe.skip;

const GRID = `kind: regbench
base:
  model: { kind: memory-mosaic, vocabulary: 20, contextLength: 1000, blocks: 1, heads: 2, width: 16, slots: 8 }
  protocol: { environments: 6, epochs: 3, valid: 3, test: 4, batch: 4 }
grid: { model.width: [8, 16], protocol.learningRate: [1.0e-3, 2.0e-3] }
`;

withRedis(`two workers and one killed${withoutRedis}`, () => {
  let url: string;
  let redis: ChildProcess;
  beforeAll(async () => {
    ({ url, process: redis } = await startRedis());
  });
  afterAll(() => void redis.kill("SIGKILL"));

  /** Prints "took NAME" when it begins a configuration. */
  const startWorker = (folder: string) =>
    startChild(`
      import { runWorker } from ${JSON.stringify(new URL("../../../data/src/llm/queue/worker.ts", import.meta.url).href)};
      import { sweepJobs } from ${JSON.stringify(new URL("./sweep-jobs.ts", import.meta.url).href)};
      process.chdir(${JSON.stringify(folder)});
      const open = async (options) => {
        const jobs = await sweepJobs.open(options);
        const run = (data, signal) => {
          console.log("took " + data.configuration.name + ".");
          return jobs.run(data, signal);
        };
        return { ...jobs, run };
      };
      await runWorker({
        url: ${JSON.stringify(url)},
        kinds: [{ ...sweepJobs, open }],
        concurrency: 1,
        key: {},
        deadAfter: 4000,
        signal: new AbortController().signal,
        onReady: () => console.log("ready"),
      });`);

  it("end every configuration exactly once", () =>
    inTemporaryFolder(async (folder) => {
      writeFileSync(join(folder, "grid.yaml"), GRID);
      const workers = [startWorker(folder), startWorker(folder)];
      await Promise.all(workers.map((worker) => worker.printed("ready")));
      const sweep = runMm(folder, ["sweep", "grid.yaml", "--queue", url, "--retries", "2", "--json"]);

      const victim = await Promise.race(workers.map((worker) => worker.printed("took ").then(() => worker)));
      const [, taken] = /took (.+)\./.exec(victim.output())!;
      while (!runsUnder(folder).some(({ name }) => name === taken)) await sleep(20);
      victim.process.kill("SIGKILL");
      await victim.ended;

      const { code, stdout, stderr } = await sweep;
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
      expect(JSON.parse(stdout)).toMatchObject({ configurations: 4, finished: 4, failed: [], left: 0 });

      const finished = new SweepFolder(join(folder, "results/sweeps"), "grid")
        .attempts()
        .filter(({ status }) => status === "finished")
        .map(({ name }) => name);
      expect(finished.sort()).toEqual(runsUnder(folder).map(({ name }) => name));
      for (const run of runsUnder(folder)) {
        const rows = readMetrics(run.path).filter(({ metric, split }) => metric === "loss" && split === "valid");
        expect(rows.map(({ step }) => step)).toEqual([2, 4, 6]);
        expect(rows[0]!.tags).toMatchObject({ sweep: "grid", "set.model.width": expect.any(Number) });
      }

      const status = await runMm(folder, ["sweep", "status", "grid"]);
      expect(status.stdout).toContain("4 of 4 finished");
    }));
});

function runsUnder(folder: string) {
  const root = join(folder, "results/runs");
  return existsSync(root) && readdirSync(root).length > 0 ? listRuns(root) : [];
}
