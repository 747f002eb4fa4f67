/**
 * `stories.arrow`: the text of a dataset as an Arrow IPC file that pandas, polars or DuckDB read directly. One row per
 * document (a document of more than a megabyte fills several rows with the same number), one record batch per batch of
 * text, written and read batch by batch.
 */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { explainFileError } from "@mm/run";
import { Field, Int32, makeData, RecordBatch, RecordBatchFileWriter, Schema, Struct, Uint32, Utf8 } from "apache-arrow";
import { readArrowFile } from "./arrow-file.js";
import type { EncodedBatch } from "./encode.js";
import type { Split } from "./info.js";

const FIELDS = [
  new Field("document", new Int32(), false),
  new Field("split", new Utf8(), false),
  new Field("text", new Utf8(), false),
  new Field("tokens", new Uint32(), false),
  new Field("characters", new Uint32(), false),
];
const SCHEMA = new Schema(FIELDS);

/** One row; `tokens` counts the end-of-text token. */
export interface StoryRow {
  readonly document: number;
  readonly split: Split;
  readonly text: string;
  readonly tokens: number;
  readonly characters: number;
}

export class StoriesWriter {
  readonly #file: ArrowFile;
  #rows = 0;

  constructor(path: string) {
    this.#file = new ArrowFile(path);
    this.#file.reset(undefined, SCHEMA);
  }

  /** @param documents the number of each piece's document; @param splits the split of each piece */
  write(batch: EncodedBatch, documents: Int32Array, splits: readonly Split[]): void {
    const length = batch.ends.length;
    const counts = new Uint32Array(length);
    for (let row = 0; row < length; row++) counts[row] = batch.tokenEnds[row]! - (batch.tokenEnds[row - 1] ?? 0);
    const splitEnds = new Uint32Array(length);
    for (let row = 0; row < length; row++) splitEnds[row] = (splitEnds[row - 1] ?? 0) + splits[row]!.length;
    const children = [
      makeData({ type: new Int32(), length, nullCount: 0, data: documents }),
      utf8(new TextEncoder().encode(splits.join("")), splitEnds),
      utf8(batch.bytes, batch.ends),
      makeData({ type: new Uint32(), length, nullCount: 0, data: counts }),
      makeData({ type: new Uint32(), length, nullCount: 0, data: batch.characters }),
    ];
    const rows = makeData({ type: new Struct(FIELDS), length, nullCount: 0, children });
    this.#file.write(new RecordBatch(SCHEMA, rows));
    this.#rows += length;
  }

  finish(): { rows: number; sha256: string } {
    this.#file.finish();
    return { rows: this.#rows, sha256: this.#file.seal() };
  }

  abandon(): void {
    this.#file.release();
  }
}

function utf8(bytes: Uint8Array, ends: Uint32Array) {
  const valueOffsets = new Int32Array(ends.length + 1);
  valueOffsets.set(ends, 1);
  return makeData({ type: new Utf8(), length: ends.length, nullCount: 0, valueOffsets, data: bytes });
}

const BUFFER = 1 << 20;

/** Arrow's file writer with a plain file below it instead of an unbounded queue. */
class ArrowFile extends RecordBatchFileWriter {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #hash = createHash("sha256");
  readonly #buffer = Buffer.alloc(BUFFER);
  #used = 0;

  constructor(path: string) {
    super({ autoDestroy: false });
    this.#path = path;
    try {
      this.#descriptor = openSync(path, "wx");
    } catch (error) {
      throw explainFileError(error, path);
    }
  }

  protected override _write(chunk: ArrayBufferView): this {
    if (!this._started || chunk.byteLength === 0) return this;
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (bytes.length > BUFFER - this.#used) this.#flush();
    if (bytes.length > BUFFER) this.#put(bytes);
    else {
      this.#buffer.set(bytes, this.#used);
      this.#used += bytes.length;
    }
    this._position += bytes.length;
    return this;
  }

  /** Flushes everything to the disk and closes the file. */
  seal(): string {
    this.#flush();
    try {
      fsyncSync(this.#descriptor);
    } catch (error) {
      throw explainFileError(error, this.#path);
    } finally {
      closeSync(this.#descriptor);
    }
    return this.#hash.digest("hex");
  }

  /** Closes the file of an abandoned build. */
  release(): void {
    closeSync(this.#descriptor);
  }

  #flush(): void {
    const used = this.#used;
    this.#used = 0;
    this.#put(this.#buffer.subarray(0, used));
  }

  #put(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
    } catch (error) {
      throw explainFileError(error, this.#path);
    }
  }
}

/**
 * Chosen rows of a stories file, one record batch in memory at a time.
 *
 * @param choose the wanted rows of a batch of the given size, in increasing order
 * @throws UserError when the file is missing or no Arrow file
 */
export async function* readStories(
  path: string,
  choose: (rows: number) => Iterable<number> = (rows) => Array(rows).keys(),
): AsyncGenerator<StoryRow> {
  for await (const batch of readArrowFile(path)) {
    for (const row of choose(batch.numRows)) yield batch.get(row)!.toJSON() as unknown as StoryRow;
  }
}
