/**
 * The outcomes of requests as they come in, in a file that survives a kill at any moment. One line each,
 *
 *   CHECKSUM ID JSON            CRC-32 of the rest of the line, in hexadecimal
 *
 * only ever appended, with one write per line. What a kill tore at the end is cut off when the file is opened; a line
 * damaged in the middle counts as never written. So a line is there or not, and a request whose line is there is
 * finished for good: the first line of an id holds. The first line of the file says what the requests were made from.
 */
import { closeSync, fdatasync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { explainFileError, makeFolder, UserError } from "@mm/run";
import type { Outcome } from "./completion.js";

/** What the requests are made from; a journal made from something else must not be continued. */
export type JournalHeader = Readonly<Record<string, unknown>>;

const FORMAT = "mm-journal 1";
const NEWLINE = 0x0a;
/** The checksum and a blank. */
const PREFIX = 9;
const WINDOW = 1 << 20;
const SYNC_MILLISECONDS = 1000;

export class Journal {
  readonly path: string;
  readonly header: JournalHeader | undefined;
  readonly #file: number;
  /** For each id, where its JSON starts in the file; 0 where there is none. */
  #offsets = new Float64Array(1024);
  #lengths = new Uint32Array(1024);
  #size = 0;
  #count = 0;
  /** Lines found damaged; their requests are asked again. */
  damaged = 0;
  #syncing: NodeJS.Timeout | undefined;
  #window: { start: number; bytes: Buffer } = { start: 0, bytes: Buffer.alloc(0) };

  /**
   * Opens or creates the journal.
   *
   * @param header left out by those who only read
   * @throws UserError when it was made from something else, or is no journal
   */
  constructor(path: string, header?: JournalHeader) {
    this.path = path;
    this.header = header;
    try {
      makeFolder(dirname(path));
      this.#file = openSync(path, "a+");
      const found = this.#scan();
      if (header === undefined) return;
      // Settings with which nothing was answered, such as a mistyped model, bind nobody.
      if (found === undefined || this.#count === 0) this.#begin(header);
      else compareHeaders(path, found, header);
    } catch (error) {
      throw explainFileError(error, path);
    }
  }

  /** Outcomes held. */
  get count(): number {
    return this.#count;
  }

  /** One more than the largest id held. */
  get end(): number {
    let end = this.#offsets.length;
    while (end > 0 && this.#offsets[end - 1] === 0) end--;
    return end;
  }

  has(id: number): boolean {
    return (this.#offsets[id] ?? 0) > 0;
  }

  /**
   * Writes an outcome, unless its request has one already.
   *
   * @returns whether it was written
   * @throws UserError when the disk is full
   */
  append(outcome: Outcome): boolean {
    const { id } = outcome;
    if (this.has(id)) return false;
    const line = checksummed(`${id} ${JSON.stringify(outcome)}`);
    const start = this.#size + PREFIX + `${id} `.length;
    this.#write(line);
    this.#note(id, start, this.#size - 1 - start);
    this.#syncing ??= setTimeout(() => {
      this.#syncing = undefined;
      fdatasync(this.#file, () => {});
    }, SYNC_MILLISECONDS).unref();
    return true;
  }

  /** Outcomes are quickest to read in the order in which they were written, or nearly so. */
  read(id: number): Outcome | undefined {
    const start = this.#offsets[id] ?? 0;
    if (start === 0) return undefined;
    const length = this.#lengths[id]!;
    if (start < this.#window.start || start + length > this.#window.start + this.#window.bytes.length) {
      this.#window = { start, bytes: this.#readAt(start, Math.max(WINDOW, length)) };
    }
    const at = start - this.#window.start;
    return JSON.parse(this.#window.bytes.toString("utf8", at, at + length)) as Outcome;
  }

  close(): void {
    clearTimeout(this.#syncing);
    fdatasyncSync(this.#file);
    closeSync(this.#file);
  }

  #begin(header: JournalHeader): void {
    ftruncateSync(this.#file, 0);
    this.#size = 0;
    this.#write(checksummed(`${FORMAT} ${JSON.stringify(header)}`));
  }

  #write(line: Buffer): void {
    try {
      for (let at = 0; at < line.length; ) at += writeSync(this.#file, line, at);
      this.#size += line.length;
    } catch (error) {
      // What was written of the line goes, so that the next one starts on a line of its own.
      ftruncateSync(this.#file, this.#size);
      throw explainFileError(error, this.path);
    }
  }

  #readAt(start: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const read = readSync(this.#file, bytes, filled, length - filled, start + filled);
      if (read === 0) break;
      filled += read;
    }
    return bytes.subarray(0, filled);
  }

  #note(id: number, start: number, length: number): void {
    if (id >= this.#offsets.length) {
      const larger = 2 ** Math.ceil(Math.log2(id + 1));
      const offsets = new Float64Array(larger);
      offsets.set(this.#offsets);
      this.#offsets = offsets;
      const lengths = new Uint32Array(larger);
      lengths.set(this.#lengths);
      this.#lengths = lengths;
    }
    this.#offsets[id] = start;
    this.#lengths[id] = length;
    this.#count++;
  }

  /** Finds all whole lines and cuts off a torn end. Returns the header, or undefined for a file without one. */
  #scan(): JournalHeader | undefined {
    const size = fstatSync(this.#file).size;
    let header: JournalHeader | undefined;
    let lineStart = 0;
    let goodEnd = 0;
    while (lineStart < size) {
      let bytes = this.#readAt(lineStart, Math.min(4 * WINDOW, size - lineStart));
      if (!bytes.includes(NEWLINE)) bytes = this.#readAt(lineStart, size - lineStart);
      let start = 0;
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
        const line = bytes.subarray(start, end);
        const good = isWhole(line);
        if (lineStart + start === 0 && good) header = headerOf(line.toString("utf8", PREFIX));
        else if (good) this.#noteLine(line, lineStart + start);
        if (good) goodEnd = lineStart + end + 1;
        else this.damaged++;
        start = end + 1;
      }
      if (start === 0) break;
      lineStart += start;
    }
    // A header that a kill tore has no end of line yet.
    const begin = this.#readAt(0, PREFIX + FORMAT.length).toString("latin1");
    const torn = lineStart === 0 && `${begin.slice(0, PREFIX)}${FORMAT}`.startsWith(begin);
    if (size > 0 && header === undefined && !torn) {
      throw new UserError(`Expected a journal of generated text in ${this.path} but found another file.`, {
        hint: "Choose another folder with --work, or remove the file.",
      });
    }
    if (goodEnd < size) ftruncateSync(this.#file, goodEnd);
    this.#size = goodEnd;
    return header;
  }

  #noteLine(line: Buffer, lineStart: number): void {
    const blank = line.indexOf(0x20, PREFIX);
    const id = Number.parseInt(line.toString("latin1", PREFIX, blank), 10);
    if (Number.isInteger(id) && !this.has(id)) this.#note(id, lineStart + blank + 1, line.length - blank - 1);
  }
}

function checksummed(text: string): Buffer {
  const bytes = Buffer.from(`00000000 ${text}\n`);
  bytes.write(crc32(bytes.subarray(PREFIX, -1)).toString(16).padStart(8, "0"), 0, "latin1");
  return bytes;
}

function isWhole(line: Buffer): boolean {
  if (line.length < PREFIX) return false;
  return line.toString("latin1", 0, PREFIX - 1) === crc32(line.subarray(PREFIX)).toString(16).padStart(8, "0");
}

function headerOf(text: string): JournalHeader | undefined {
  return text.startsWith(`${FORMAT} `) ? (JSON.parse(text.slice(FORMAT.length + 1)) as JournalHeader) : undefined;
}

function compareHeaders(path: string, found: JournalHeader, wanted: JournalHeader): void {
  const show = (value: unknown) => JSON.stringify(value) ?? "nothing";
  const changed = [...new Set([...Object.keys(found), ...Object.keys(wanted)])].filter(
    (key) => show(found[key]) !== show(wanted[key]),
  );
  if (changed.length === 0) return;
  const differences = changed.map((key) => `${key} was ${clip(show(found[key]))}, now ${clip(show(wanted[key]))}`);
  throw new UserError(`Expected the settings that ${path} was begun with, but ${differences.join("; ")}.`, {
    hint: "Go on with the old settings, or begin afresh in another folder with --work.",
  });
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
