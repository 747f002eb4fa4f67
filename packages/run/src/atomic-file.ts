/**
 * Files that others read later appear whole or not at all: written under a temporary name in the same folder, flushed
 * to the disk, then renamed.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "./errors.js";

/**
 * Writes a whole file atomically; the folder is made when missing.
 *
 * @throws UserError when the disk is full or the place may not be written
 */
export function writeFileAtomic(path: string, content: string | Uint8Array): void {
  writeAtomic(path, (temporary) => {
    const file = openSync(temporary, "w");
    try {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  });
}

/** Lets `write` fill a temporary file, then flushes and renames it; nothing is left behind when `write` throws. */
export function writeAtomic(path: string, write: (temporary: string) => void): void {
  makeFolder(dirname(path));
  const temporary = `${path}.tmp-${process.pid}`;
  try {
    write(temporary);
    flush(temporary);
    renameSync(temporary, path);
    flush(dirname(path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw explainFileError(error, path);
  }
}

/**
 * Makes a folder and those above it. Node's own `recursive` never returns where the system answers "no such folder" to
 * the making of one, as it does below /proc.
 *
 * @throws UserError when the place may not be written
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw explainFileError(error, path);
  }
}

/** Flushes a file or a folder entry to the disk. */
function flush(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

const EXPLANATIONS: Record<string, { problem: string; hint: string }> = {
  ENOSPC: { problem: "the disk is full", hint: "Free some space, or write to another disk." },
  EDQUOT: { problem: "your disk quota is used up", hint: "Free some space, or write to another disk." },
  EFBIG: { problem: "the file would become larger than is allowed", hint: "Raise the limit (ulimit -f)." },
  EACCES: { problem: "permission was denied", hint: "Choose a folder that you may write to." },
  EPERM: { problem: "permission was denied", hint: "Choose a folder that you may write to." },
  EROFS: { problem: "the file system is read-only", hint: "Choose a folder that you may write to." },
  ENOTDIR: { problem: "a part of the path is a file, not a folder", hint: "Check the path." },
  EISDIR: { problem: "it is a folder, not a file", hint: "Check the path." },
  ENOENT: { problem: "there is no such file or folder", hint: "Check the path." },
};

/** Turns a system error about `path` into a UserError where a person can do something about it. */
export function explainFileError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const known = code === undefined ? undefined : EXPLANATIONS[code];
  if (known === undefined) return error;
  return new UserError(`Cannot use ${path}: ${known.problem} (${code}).`, { hint: known.hint, cause: error });
}
