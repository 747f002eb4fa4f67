/**
 * The folder in which a corpus grows, stage by stage:
 *
 *   openings.journal  names.journal  stories.journal    every answer of the model, as it came
 *   openings.txt  names.txt                             one entry per line
 *   stories_clean.txt                                   clean stories, a JSON string per line, in the order of their prompts
 *   traindataset.txt  valdataset.txt                    the same in two splits, under the published names
 *   stages.json                                         which stages are done, from which input, with what result
 *   id                                                  names this corpus in a queue
 *   lock                                                held by the process at work
 */
import { createHash, randomUUID } from "node:crypto";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { explainFileError, makeFolder, UserError, writeFileAtomic } from "@mm/run";

export type StageName = "openings" | "names" | "stories" | "cleaning" | "split";

interface StageRecord {
  /** Digest of everything that decides the result. */
  readonly input: string;
  readonly result: unknown;
}

const STAGES_FILE = "stages.json";
const ID_FILE = "id";
const LOCK_FILE = "lock";

export class WorkFolder {
  readonly path: string;
  /** Names this corpus in a queue, the same for ever. */
  readonly id: string;
  readonly #stages: Partial<Record<StageName, StageRecord>>;

  /** @throws UserError when another process works in it */
  constructor(path: string) {
    this.path = path;
    try {
      makeFolder(path);
      this.#lock();
      for (const name of readdirSync(path)) if (/\.tmp-\d+$/.test(name)) rmSync(join(path, name), { force: true });
      const id = join(path, ID_FILE);
      if (!existsSync(id)) writeFileAtomic(id, `${randomUUID()}\n`);
      this.id = readFileSync(id, "utf8").trim();
      const stages = join(path, STAGES_FILE);
      this.#stages = existsSync(stages) ? JSON.parse(readFileSync(stages, "utf8")) : {};
    } catch (error) {
      throw explainFileError(error, path);
    }
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Does the work of a stage, unless it was done from the same input and its files are still there. */
  async stage<Result>(
    name: StageName,
    input: unknown,
    files: readonly string[],
    work: () => Promise<Result>,
  ): Promise<Result> {
    const digest = digestOf(input);
    const done = this.#stages[name];
    if (done?.input === digest && files.every((file) => existsSync(this.file(file)))) return done.result as Result;
    const result = await work();
    this.#stages[name] = { input: digest, result };
    writeFileAtomic(this.file(STAGES_FILE), `${JSON.stringify(this.#stages, null, 2)}\n`);
    return result;
  }

  close(): void {
    rmSync(this.file(LOCK_FILE), { force: true });
  }

  #lock(): void {
    const path = this.file(LOCK_FILE);
    for (;;) {
      try {
        const file = openSync(path, "wx");
        writeSync(file, `${process.pid} ${hostname()}\n`);
        closeSync(file);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const holder = readFileSync(path, "utf8").trim();
      const [pid = "", host = ""] = holder.split(" ");
      // A lock without content belongs to a process that was killed while it wrote it.
      if (holder !== "" && (host !== hostname() || isRunning(Number(pid)))) {
        throw new UserError(`Expected to be alone in ${this.path} but process ${pid} on ${host} works there.`, {
          hint: `Wait for it, use another folder with --work, or remove ${path} if that process is gone.`,
        });
      }
      rmSync(path, { force: true });
    }
  }
}

export function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
