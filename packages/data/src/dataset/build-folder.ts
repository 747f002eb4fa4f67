/**
 * The folder in which a dataset grows. It has another name beside the final one until everything is written, so that
 * an interrupted build leaves nothing that looks like a dataset, and a rebuild keeps the old one until the new is whole.
 */
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { explainFileError, makeFolder, UserError } from "@mm/run";
import { INFO_FILE } from "./info.js";

export class BuildFolder {
  /** The folder to write to. */
  readonly path: string;
  readonly #final: string;

  /** @throws UserError when the final folder has content, unless that is a dataset and `force` is set */
  constructor(folder: string, force: boolean) {
    this.#final = resolve(folder);
    const isDataset = existsSync(join(this.#final, INFO_FILE));
    if (!(force && isDataset) && hasContent(this.#final)) {
      throw new UserError(`Expected no folder ${folder} yet but found one with files in it.`, {
        hint: isDataset
          ? "Choose another name, or replace it with --force."
          : `Choose another name: without ${INFO_FILE} it is no dataset, and nothing else is replaced.`,
      });
    }
    this.path = `${this.#final}.building-${process.pid}`;
    try {
      removeLeftovers(this.#final);
      makeFolder(join(this.path, "scratch"));
    } catch (error) {
      throw explainFileError(error, this.path);
    }
  }

  /** A place for temporary files. */
  get scratch(): string {
    return join(this.path, "scratch");
  }

  /** Gives the folder its final name; an older dataset of that name is removed. */
  finish(): void {
    const old = `${this.path}-old`;
    try {
      rmSync(this.scratch, { recursive: true, force: true });
      if (existsSync(this.#final)) renameSync(this.#final, old);
      renameSync(this.path, this.#final);
      rmSync(old, { recursive: true, force: true });
    } catch (error) {
      throw explainFileError(error, this.#final);
    }
  }

  abandon(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

function hasContent(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw explainFileError(error, folder);
  }
}

/** Removes what builds left behind whose process was killed. */
function removeLeftovers(final: string): void {
  const parent = dirname(final);
  if (!existsSync(parent)) return;
  const prefix = `${basename(final)}.building-`;
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(prefix)) continue;
    if (!isRunning(Number.parseInt(name.slice(prefix.length), 10))) {
      rmSync(join(parent, name), { recursive: true, force: true });
    }
  }
}

function isRunning(process_: number): boolean {
  if (process_ === process.pid) return false;
  try {
    process.kill(process_, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
