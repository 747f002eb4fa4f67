/** Trainings in processes of their own, killed without warning. */
import { beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import { type MetricRow, Rng, RunFolder, readMetrics } from "@mm/run";
import { startChild } from "../../run/src/testing/child-process.js";
import { newRun, tinyConfig, tinyDataset } from "./testing/tiny-dataset.js";
import { resume, train } from "./train.js";

const source = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);

const STEPS = 24;

function lossRows(run: RunFolder): Pick<MetricRow, "step" | "split" | "value">[] {
  return readMetrics(run.path)
    .filter(({ metric }) => metric === "loss")
    .map(({ step, split, value }) => ({ step, split, value }));
}

/** Takes the run up in a process of its own, which prints a line after every step, and stands still after the last one. */
function continueInChild(run: RunFolder, last: number) {
  return startChild(`
    import { RunFolder } from ${source("../../run/src/index.ts")};
    import { selectBackend } from ${source("../../ops/src/index.ts")};
    import { resume } from ${source("./train.ts")};
    await selectBackend("wasm");
    await resume(RunFolder.open(${JSON.stringify(run.path)}), {
      onProgress({ step }) {
        console.log("step " + step + ";");
        if (step === ${last}) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      },
    });`);
}

describe("a training killed with SIGKILL", () => {
  beforeAll(() => selectBackend("wasm"));

  it("loses no row, and ends with the same losses as one that was left alone", async () => {
    const dataset = tinyDataset();
    const config = tinyConfig(dataset, {
      steps: STEPS,
      evaluation: { every: 4, windows: 4 },
      checkpoints: { every: 3, keepLast: 2 },
    });
    const whole = newRun(config, dataset);
    await train(config, dataset, whole);

    const killed = newRun(config, dataset);
    killed.interrupt();
    const rng = Rng.fromSeed(4);
    for (const after of [5, 13, 19]) {
      const child = continueInChild(killed, after + 3);
      await child.printed(`step ${after};`);
      await new Promise((resolve) => setTimeout(resolve, rng.integer(0, 30)));
      child.process.kill("SIGKILL");
      await child.ended;
      expect(killed.status()).toBe("interrupted");
      const logged = lossRows(killed).filter(({ split }) => split === "train");
      expect(logged.length).toBeGreaterThanOrEqual(after);
      expect(logged.map(({ step }) => step)).toEqual(logged.map((_, index) => index + 1));
    }
    await resume(RunFolder.open(killed.path));
    expect(killed.status()).toBe("finished");
    expect(lossRows(killed)).toEqual(lossRows(whole));
  });
});
