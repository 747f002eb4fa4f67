/**
 * Every number is a row {run, step, split, metric, value, tags}. While a run lives, rows are appended to
 * `metrics.jsonl`, one JSON object per line and one system call per append, so that a killed process loses at most the
 * line it was writing. A finished run exports the rows as `metrics.arrow` and `metrics.csv`.
 */
import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { stringify } from "csv-stringify/sync";
import { explainFileError, makeFolder, writeFileAtomic } from "./atomic-file.js";
import { UserError } from "./errors.js";

export type TagValue = string | number | boolean;

export interface MetricRow {
  run: string;
  /** Optimizer steps done when the value was measured. */
  step: number;
  /** "train", "train-eval" (training data without dropout), "valid", "test", … */
  split: string;
  metric: string;
  value: number;
  tags: Record<string, TagValue>;
}

const ROWS = "metrics.jsonl";

/** Loaded when rows are exported: it would take most of the time in which `mm --help` answers. */
const arrow = () => createRequire(import.meta.url)("apache-arrow") as typeof import("apache-arrow");

/** Appends rows to a folder's `metrics.jsonl`. The file is opened, and made, by the first append. */
export class MetricLog {
  readonly folder: string;
  #file: number | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Adds the rows in one write.
   *
   * @throws UserError when the disk is full or the folder may not be written
   */
  append(rows: readonly MetricRow[]): void {
    if (rows.length === 0) return;
    const path = join(this.folder, ROWS);
    try {
      this.#file ??= openForAppending(this.folder, path);
      const bytes = new TextEncoder().encode(rows.map(encodeRow).join(""));
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    } catch (error) {
      throw explainFileError(error, path);
    }
  }

  /** Forgets the rows after `step`: what a killed run logged beyond the checkpoint from which it resumes. */
  rewind(step: number): void {
    const rows = readMetrics(this.folder);
    const kept = rows.filter((row) => row.step <= step);
    this.close();
    if (kept.length < rows.length) writeFileAtomic(join(this.folder, ROWS), kept.map(encodeRow).join(""));
  }

  /** Writes `metrics.arrow` and `metrics.csv`, each whole or not at all; every tag is a column of its own. */
  async export(): Promise<void> {
    exportMetrics(this.folder, readMetrics(this.folder));
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/**
 * The rows of a folder's `metrics.jsonl`, in the order of writing; none when there is no such file. A torn last line
 * (the process died while writing it) is left out.
 *
 * @throws UserError naming file and line when another line is not a row
 */
export function readMetrics(folder: string): MetricRow[] {
  const path = join(folder, ROWS);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  lines.pop();
  return lines.map((line, index) => decodeRow(line, `${path}:${index + 1}`));
}

/** Writes rows as `metrics.arrow` and `metrics.csv` into a folder, atomically. */
export function exportMetrics(folder: string, rows: readonly MetricRow[]): void {
  const tags = [...new Set(rows.flatMap((row) => Object.keys(row.tags)))].sort();
  const columns: Record<string, (row: MetricRow) => TagValue | null> = {
    run: (row) => row.run,
    step: (row) => row.step,
    split: (row) => row.split,
    metric: (row) => row.metric,
    value: (row) => row.value,
  };
  for (const tag of tags) columns[tag in columns ? `tags.${tag}` : tag] = (row) => row.tags[tag] ?? null;

  const { Table, tableToIPC } = arrow();
  const vectors = Object.entries(columns).map(([name, read]) => [name, column(rows.map(read))] as const);
  writeFileAtomic(join(folder, "metrics.arrow"), tableToIPC(new Table(Object.fromEntries(vectors)), "file"));
  const records = rows.map((row) => Object.values(columns).map((read) => read(row)));
  const csv = stringify(records, {
    header: true,
    columns: Object.keys(columns),
    cast: { boolean: String, number: String },
  });
  writeFileAtomic(join(folder, "metrics.csv"), csv);
}

/** Numbers become Float64, truth values Bool, anything else or mixed text. */
function column(values: (TagValue | null)[]) {
  const { Bool, Float64, Utf8, vectorFromArray } = arrow();
  const kinds = new Set(values.flatMap((value) => (value === null ? [] : [typeof value])));
  if (kinds.size === 1 && kinds.has("number")) return vectorFromArray(values as (number | null)[], new Float64());
  if (kinds.size === 1 && kinds.has("boolean")) return vectorFromArray(values as (boolean | null)[], new Bool());
  return vectorFromArray(
    values.map((value) => (value === null ? null : String(value))),
    new Utf8(),
  );
}

/** One line of JSON, which has no NaN and no infinities: they travel as text. */
export function encodeRow(row: MetricRow): string {
  const value = Number.isFinite(row.value) ? row.value : String(row.value);
  return `${JSON.stringify({ ...row, value })}\n`;
}

function decodeRow(line: string, place: string): MetricRow {
  try {
    const row = JSON.parse(line) as MetricRow;
    if (typeof row.metric !== "string" || typeof row.step !== "number") throw new Error("no metric or step in it");
    return { ...row, value: Number(row.value) };
  } catch (error) {
    throw new UserError(`Expected a metric row in ${place} but found ${JSON.stringify(line.slice(0, 80))}.`, {
      hint: "The file was changed by something else; remove that line.",
      cause: error,
    });
  }
}

/** Opens for appending, first cutting off what follows the last newline: a line torn by a kill. */
function openForAppending(folder: string, path: string): number {
  makeFolder(folder);
  const file = openSync(path, "a+");
  let end = fstatSync(file).size;
  const byte = new Uint8Array(1);
  while (end > 0 && readSync(file, byte, 0, 1, end - 1) === 1 && byte[0] !== 0x0a) end--;
  ftruncateSync(file, end);
  return file;
}
