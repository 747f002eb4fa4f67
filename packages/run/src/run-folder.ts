/**
 * The folder of one run:
 *
 *   config.json  provenance.json  status.json  metrics.jsonl → metrics.arrow metrics.csv  checkpoints/  evals/<name>/
 *
 * `config.json` is written last at creation: a folder without it is not a run.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { basename, join, resolve } from "node:path";
import { makeFolder, writeFileAtomic } from "./atomic-file.js";
import { UserError } from "./errors.js";
import { MetricLog } from "./metrics.js";
import type { Provenance } from "./provenance.js";

/** "interrupted": ended before its last step, by a signal or because its process died. */
export type RunStatus = "running" | "finished" | "interrupted" | "failed";

interface StatusRecord {
  status: RunStatus;
  /** Why it failed. */
  reason?: string;
  /** The process at work, while running. */
  process?: { host: string; id: number; started: string };
}

export class RunFolder {
  readonly path: string;
  readonly name: string;
  readonly config: unknown;
  readonly provenance: Provenance;
  readonly metrics: MetricLog;

  private constructor(path: string, config: unknown, provenance: Provenance) {
    this.path = path;
    this.name = basename(resolve(path));
    this.config = config;
    this.provenance = provenance;
    this.metrics = new MetricLog(path);
  }

  /**
   * Makes `root/name` for a new run, which is then "running" under this process.
   *
   * @param options.force replace a run of that name
   * @throws UserError when the name is not usable as a folder, or the folder exists
   */
  static create(
    root: string,
    name: string,
    config: unknown,
    provenance: Provenance,
    options: { force?: boolean } = {},
  ): RunFolder {
    if (!/^[\w][\w.+=-]*$/.test(name)) {
      throw new UserError(`Expected a run name of letters, digits and . _ + = - but found ${JSON.stringify(name)}.`, {
        hint: "Choose a name such as mosaic-2-blocks.",
      });
    }
    const path = join(root, name);
    if (existsSync(path) && readdirSync(path).length > 0) makeRoom(path, options.force ?? false);
    makeFolder(join(path, "checkpoints"));
    writeJson(join(path, "provenance.json"), provenance);
    writeStatus(path, { status: "running", process: thisProcess() });
    writeJson(join(path, "config.json"), config);
    return new RunFolder(path, config, provenance);
  }

  /** @throws UserError when the folder is not a run */
  static open(path: string): RunFolder {
    if (!existsSync(join(path, "config.json"))) {
      throw new UserError(`Expected a run in ${path} but found no config.json there.`, {
        hint: "Give the folder of a run, such as results/runs/NAME.",
      });
    }
    const provenance = readJson(join(path, "provenance.json")) as Provenance;
    return new RunFolder(path, readJson(join(path, "config.json")), provenance);
  }

  get checkpointFolder(): string {
    return join(this.path, "checkpoints");
  }

  /** The folder of one evaluation's files, made when missing. */
  evalFolder(name: string): string {
    const folder = join(this.path, "evals", name);
    makeFolder(folder);
    return folder;
  }

  /** Read anew from the disk; a "running" run whose process is gone was interrupted. */
  status(): RunStatus {
    const record = readStatus(this.path);
    if (record.status === "running" && !isAlive(record.process)) return "interrupted";
    return record.status;
  }

  /** Why a failed run failed. */
  get failure(): string | undefined {
    return readStatus(this.path).reason;
  }

  /**
   * Takes the run up again under this process.
   *
   * @throws UserError when another process is at work on it
   */
  start(): void {
    const { status, process: worker } = readStatus(this.path);
    if (status === "running" && isAlive(worker) && worker?.id !== process.pid) {
      throw new UserError(`Expected nobody at work on ${this.path}, but process ${worker?.id} is.`, {
        hint: "Wait until it ends, or stop it with Ctrl-C.",
      });
    }
    writeStatus(this.path, { status: "running", process: thisProcess() });
  }

  finish(): void {
    this.#end({ status: "finished" });
  }

  interrupt(): void {
    this.#end({ status: "interrupted" });
  }

  fail(reason: string): void {
    this.#end({ status: "failed", reason });
  }

  #end(record: StatusRecord): void {
    this.metrics.close();
    writeStatus(this.path, record);
  }
}

/** Every run below `root`, by name; none when there is no such folder. */
export function listRuns(root: string): RunFolder[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => existsSync(join(root, entry.name, "config.json")))
    .map((entry) => RunFolder.open(join(root, entry.name)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Where metric rows of a run are: its own folder, then one per evaluation. */
export function metricFolders(path: string): string[] {
  const evaluations = join(path, "evals");
  if (!existsSync(evaluations)) return [path];
  const names = readdirSync(evaluations).sort();
  return [path, ...names.map((name) => join(evaluations, name))];
}

/** Removes what is in the way, but only a run that nobody is working on, and only when told to. */
function makeRoom(path: string, force: boolean): void {
  const isRun = existsSync(join(path, "provenance.json"));
  if (!isRun || !force) {
    throw new UserError(`Expected no folder ${path}, but it exists.`, {
      hint: isRun
        ? "Continue it with --resume, replace it with --force, or choose another name."
        : "Choose another name.",
    });
  }
  const { status, process: worker } = readStatus(path);
  if (status === "running" && isAlive(worker) && worker?.id !== process.pid) {
    throw new UserError(`Cannot replace ${path}: process ${worker?.id} is working on it.`, {
      hint: "Wait until it ends, or stop it with Ctrl-C.",
    });
  }
  rmSync(path, { recursive: true });
}

function thisProcess(): NonNullable<StatusRecord["process"]> {
  return { host: hostname(), id: process.pid, started: processStart(process.pid) };
}

/** On another host nobody can tell: taken for alive. */
function isAlive(worker: StatusRecord["process"]): boolean {
  if (worker === undefined) return false;
  if (worker.host !== hostname()) return true;
  try {
    process.kill(worker.id, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return processStart(worker.id) === worker.started;
}

/** Start time of a process in clock ticks (Linux; elsewhere empty): tells apart two processes of the same number. */
function processStart(id: number): string {
  try {
    const stat = readFileSync(`/proc/${id}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

function readStatus(path: string): StatusRecord {
  const file = join(path, "status.json");
  return existsSync(file) ? (readJson(file) as StatusRecord) : { status: "interrupted" };
}

function writeStatus(path: string, record: StatusRecord): void {
  writeJson(join(path, "status.json"), record);
}

export function writeJson(path: string, value: unknown): void {
  writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** @throws UserError with this hint, when the file is not there or not JSON */
export function readJson(path: string, hint = "The run folder is damaged; remove it or restore the file."): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UserError(`Expected JSON in ${path}, but it cannot be read as such.`, { hint, cause: error });
  }
}
