/** Configurations of a sweep as jobs of a queue, which `mm worker` takes. */
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, hostname } from "node:os";
import { join } from "node:path";
import type { JobKind } from "@mm/data";
import { RunFolder } from "@mm/run";
import { z } from "zod";
import { RUNS, SWEEPS } from "../places.js";
import { type SweepKind, sweepKinds } from "./kinds.js";
import { packRun } from "./packed-run.js";
import type { Configuration } from "./recipe.js";
import { runConfiguration } from "./run-configuration.js";

const Value = z.union([z.string(), z.number(), z.boolean()]);

/** A name comes from elsewhere and becomes a folder here. */
const Name = z.string().regex(/^\w[\w.-]*$/);

export const SweepJob = z.strictObject({
  sweep: Name,
  backend: z.string().optional(),
  configuration: z.strictObject({
    digest: z.string(),
    name: Name,
    kind: z.enum(Object.keys(sweepKinds) as [SweepKind, ...SweepKind[]]),
    settings: z.record(z.string(), Value),
    seed: z.int(),
    config: z.unknown(),
  }),
});
export type SweepJob = z.output<typeof SweepJob>;

/** What a worker answers. */
export const SweepResult = z.discriminatedUnion("status", [
  z.object({ status: z.literal("finished"), run: z.string() }),
  z.object({ status: z.literal("interrupted") }),
  z.object({ status: z.literal("failed"), reason: z.string() }),
]);

const cores = availableParallelism();

/** The queue gives a job away again when its worker is gone; the run of a machine that is gone cannot know. */
function takeOver(path: string): void {
  if (!existsSync(join(path, "config.json"))) return;
  const record = JSON.parse(readFileSync(join(path, "status.json"), "utf8")) as { process?: { host: string } };
  if (record.process !== undefined && record.process.host !== hostname()) RunFolder.open(path).interrupt();
}

export const sweepJobs: JobKind = {
  name: "sweep",
  title: "configurations of a hyper-parameter search (mm sweep --queue)",
  most: cores,
  async open({ concurrency }) {
    return {
      async run(data, signal): Promise<z.output<typeof SweepResult>> {
        const { sweep, backend, configuration } = SweepJob.parse(data);
        takeOver(join(RUNS, configuration.name));
        const outcome = await runConfiguration(configuration as Configuration, {
          root: RUNS,
          folder: join(SWEEPS, sweep),
          sweep,
          backend,
          threads: Math.max(1, Math.floor(cores / concurrency)),
          signal,
        });
        return outcome.status === "finished" ? { ...outcome, run: packRun(join(RUNS, configuration.name)) } : outcome;
      },
      async close() {},
    };
  },
};
