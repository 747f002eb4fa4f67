/** Files of many lines that appear whole or not at all, with their checksum. */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename } from "node:path";
import { explainFileError } from "@mm/run";
import type { SourceFile } from "../../dataset/info.js";

const BUFFER = 1 << 20;

export class LineFile {
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: number;
  readonly #hash = createHash("sha256");
  #lines: string[] = [];
  #pending = 0;
  #bytes = 0;

  constructor(path: string) {
    this.#path = path;
    this.#temporary = `${path}.tmp-${process.pid}`;
    try {
      this.#file = openSync(this.#temporary, "w");
    } catch (error) {
      throw explainFileError(error, path);
    }
  }

  write(line: string): void {
    this.#lines.push(line, "\n");
    this.#pending += line.length + 1;
    if (this.#pending >= BUFFER) this.#flush();
  }

  /** Gives the file its name; the path in the answer is the name alone. */
  finish(): SourceFile {
    this.#flush();
    fsyncSync(this.#file);
    closeSync(this.#file);
    renameSync(this.#temporary, this.#path);
    return { path: basename(this.#path), bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }

  abandon(): void {
    closeSync(this.#file);
    rmSync(this.#temporary, { force: true });
  }

  #flush(): void {
    const bytes = Buffer.from(this.#lines.join(""));
    this.#lines = [];
    this.#pending = 0;
    this.#bytes += bytes.length;
    this.#hash.update(bytes);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    } catch (error) {
      throw explainFileError(error, this.#path);
    }
  }
}

/** Writes a whole file, removing it again when `fill` fails. */
export async function writeLines(path: string, fill: (file: LineFile) => void | Promise<void>): Promise<SourceFile> {
  const file = new LineFile(path);
  try {
    await fill(file);
  } catch (error) {
    file.abandon();
    throw error;
  }
  return file.finish();
}

/** The lines of a small file, without empty ones. */
export function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8")
      .split(/\r?\n/)
      .filter((line) => line.trim() !== "");
  } catch (error) {
    throw explainFileError(error, path);
  }
}
