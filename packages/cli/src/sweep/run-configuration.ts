/** One configuration of a sweep, by a process of its own that begins its run or takes it up again. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makeFolder, writeFileAtomic } from "@mm/run";
import { tagWords } from "../tags.js";
import { type RunState, runState, sweepKinds } from "./kinds.js";
import { spawnMm } from "./mm-process.js";
import { type Configuration, tagsOf } from "./recipe.js";

export type Outcome =
  | { readonly status: "finished" }
  | { readonly status: "interrupted" }
  | { readonly status: "failed"; readonly reason: string };

export interface Place {
  /** Folder of the runs. */
  readonly root: string;
  /** Folder of the sweep: configurations and what the processes print. */
  readonly folder: string;
}

export interface RunOptions extends Place {
  readonly sweep: string;
  readonly backend?: string | undefined;
  readonly threads: number;
  readonly signal: AbortSignal;
}

const INTERRUPTED = 130;

const PATIENCE_MILLISECONDS = 60_000;

/** A process whose parent was killed saves its work and ends: waits for that. */
async function settledState(root: string, { name, kind }: Configuration, signal: AbortSignal): Promise<RunState> {
  for (const end = performance.now() + PATIENCE_MILLISECONDS; ; await sleep(200)) {
    const state = runState(root, name, kind);
    if (state !== "running" || signal.aborted || performance.now() > end) return state;
  }
}

export async function runConfiguration(configuration: Configuration, options: RunOptions): Promise<Outcome> {
  const { root, folder, sweep, backend, threads, signal } = options;
  const { name, kind, config } = configuration;
  const state = await settledState(root, configuration, signal);
  if (state === "finished") return { status: "finished" };
  makeFolder(join(folder, "logs"));
  const file = join(folder, "configurations", `${name}.json`);
  writeFileAtomic(file, `${JSON.stringify(config, null, 2)}\n`);
  const { start, resume } = sweepKinds[kind];
  const words = [
    ...(state === "waiting"
      ? [...start(file, name), "--force", ...tagWords(tagsOf(configuration, sweep))]
      : resume(file, name, root)),
    ...(backend === undefined ? [] : ["--backend", backend]),
  ];
  const end = await spawnMm(words, { threads, signal, logFile: join(folder, "logs", `${name}.log`) });
  if (end.code === 0 && runState(root, name, kind) === "finished") return { status: "finished" };
  if (end.code === INTERRUPTED || signal.aborted) return { status: "interrupted" };
  const how = end.signal === null ? `exit code ${end.code}` : `killed by ${end.signal}`;
  return { status: "failed", reason: `${how}: ${end.lastWords}` };
}
