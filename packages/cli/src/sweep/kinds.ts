/** What a sweep can vary: the experiments of `mm train` and of `mm eval regbench`. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { RunFolder, type RunStatus, readMetrics } from "@mm/run";
import { TrainConfig } from "@mm/train";
import type { z } from "zod";
import { RegBenchRunConfig } from "../regbench/config.js";
import { storedScores } from "../regbench/stored-scores.js";

interface Kind {
  readonly schema: z.ZodType;
  readonly seedField: string;
  /** The words after `mm` that begin a run from a file, or continue it. */
  start(configFile: string, name: string): string[];
  resume(configFile: string, name: string, root: string): string[];
  /** Whether a run that is trained is also scored. */
  complete(run: RunFolder): boolean;
  /** What a person compares, the first number first; empty until there is something. */
  results(run: RunFolder): Record<string, number>;
}

const evalRegbench = (file: string, name: string) => ["eval", "regbench", "--recipe", file, "--name", name];

export const sweepKinds = {
  train: {
    schema: TrainConfig,
    seedField: "seed",
    start: (file, name) => ["train", "--recipe", file, "--name", name],
    resume: (_, name, root) => ["train", "--resume", join(root, name)],
    complete: () => true,
    results: (run) => lastLoss(run),
  },
  regbench: {
    schema: RegBenchRunConfig,
    seedField: "protocol.seed",
    start: evalRegbench,
    resume: evalRegbench,
    complete: (run) => storedScores(run) !== undefined,
    results: (run) => ({ ...lowestLoss(run), ...storedScores(run) }),
  },
} as const satisfies Record<string, Kind>;

export type SweepKind = keyof typeof sweepKinds;

export type RunState = RunStatus | "waiting";

/** How far a run is: "finished" only when nothing is left to do for it. */
export function runState(root: string, name: string, kind: SweepKind): RunState {
  const run = openRun(root, name);
  if (run === undefined) return "waiting";
  const status = run.status();
  return status === "finished" && !sweepKinds[kind].complete(run) ? "interrupted" : status;
}

export function openRun(root: string, name: string): RunFolder | undefined {
  const path = join(root, name);
  return existsSync(join(path, "config.json")) ? RunFolder.open(path) : undefined;
}

function validLosses(run: RunFolder): number[] {
  return readMetrics(run.path)
    .filter((row) => row.metric === "loss" && row.split === "valid")
    .map((row) => row.value);
}

function lastLoss(run: RunFolder): Record<string, number> {
  const last = validLosses(run).at(-1);
  return last === undefined ? {} : { validLoss: last };
}

/** The weights of lowest loss are the ones that count. */
function lowestLoss(run: RunFolder): Record<string, number> {
  const losses = validLosses(run);
  return losses.length === 0 ? {} : { validLoss: Math.min(...losses) };
}
