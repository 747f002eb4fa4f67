/**
 * The tokens of one split as one long array, read from the shards where they are needed. Small shards are kept in
 * memory after their first use; of larger ones only the asked part is read, so that a corpus of any size costs a few
 * megabytes (the operating system's page cache does the rest).
 */
import { closeSync, openSync, readSync } from "node:fs";
import { endianness } from "node:os";
import { explainFileError, UserError } from "@mm/run";

const BYTES = 2;
/** Shards of up to this many tokens (32 MiB) are kept whole. */
const WHOLE = 1 << 24;
/** Tokens around the last single access that are kept, for `at`. */
const PAGE = 1 << 14;

export interface ShardFile {
  readonly path: string;
  readonly tokens: number;
}

export class TokenStream {
  readonly length: number;
  readonly #shards: Shard[];
  /** First position of each shard, and the length at the end. */
  readonly #starts: number[] = [0];

  /** @param keep shards of up to this many tokens are kept in memory after their first use */
  constructor(shards: readonly ShardFile[], keep = WHOLE) {
    this.#shards = shards.map((file) => new Shard(file, keep));
    for (const { tokens } of shards) this.#starts.push(this.#starts.at(-1)! + tokens);
    this.length = this.#starts.at(-1)!;
  }

  /** The token at position `index`. */
  at(index: number): number {
    if (!(index >= 0 && index < this.length)) throw new RangeError(`no token ${index} among ${this.length}`);
    const shard = this.#shardOf(index);
    return this.#shards[shard]!.at(index - this.#starts[shard]!);
  }

  /** The tokens at positions [start, end), which may lie in several shards. */
  slice(start: number, end: number): Uint16Array {
    if (!(start >= 0 && start <= end && end <= this.length)) {
      throw new RangeError(`no tokens ${start} to ${end} among ${this.length}`);
    }
    const out = new Uint16Array(end - start);
    for (let at = start; at < end; ) {
      const shard = this.#shardOf(at);
      const count = Math.min(end, this.#starts[shard + 1]!) - at;
      this.#shards[shard]!.read(at - this.#starts[shard]!, out.subarray(at - start, at - start + count));
      at += count;
    }
    return out;
  }

  /** Consecutive pieces of at most `size` tokens, from the first to the last. */
  *pieces(size: number): Generator<Uint16Array> {
    for (let start = 0; start < this.length; start += size)
      yield this.slice(start, Math.min(start + size, this.length));
  }

  /** Closes the files; reading again opens them again. */
  close(): void {
    for (const shard of this.#shards) shard.close();
  }

  /** The shard that holds a position: the last one that starts at or before it and is not empty. */
  #shardOf(index: number): number {
    let low = 0;
    let high = this.#shards.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

class Shard {
  readonly #file: ShardFile;
  readonly #keep: boolean;
  #descriptor: number | undefined;
  #whole: Uint16Array | undefined;
  #page = new Uint16Array(0);
  #pageStart = 0;

  constructor(file: ShardFile, keep: number) {
    this.#file = file;
    this.#keep = file.tokens <= keep;
  }

  at(index: number): number {
    if (this.#keep) return this.#load()[index]!;
    if (index < this.#pageStart || index >= this.#pageStart + this.#page.length) {
      this.#pageStart = index - (index % PAGE);
      this.#page = new Uint16Array(Math.min(PAGE, this.#file.tokens - this.#pageStart));
      this.#readFile(this.#pageStart, this.#page);
    }
    return this.#page[index - this.#pageStart]!;
  }

  /** Fills `out` with the tokens from `start` on. */
  read(start: number, out: Uint16Array): void {
    if (this.#keep) out.set(this.#load().subarray(start, start + out.length));
    else this.#readFile(start, out);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
    this.#whole = undefined;
  }

  #load(): Uint16Array {
    if (this.#whole === undefined) {
      const whole = new Uint16Array(this.#file.tokens);
      this.#readFile(0, whole);
      this.#whole = whole;
      if (this.#descriptor !== undefined) closeSync(this.#descriptor);
      this.#descriptor = undefined;
    }
    return this.#whole;
  }

  #readFile(start: number, out: Uint16Array): void {
    const { path } = this.#file;
    const bytes = Buffer.from(out.buffer, out.byteOffset, out.byteLength);
    try {
      this.#descriptor ??= openSync(path, "r");
      for (let done = 0; done < bytes.length; ) {
        const count = readSync(this.#descriptor, bytes, done, bytes.length - done, start * BYTES + done);
        if (count === 0) {
          throw new UserError(`Expected ${this.#file.tokens} tokens in ${path} but the file ends early.`, {
            hint: "The file was cut short after the dataset was opened; build the dataset again.",
          });
        }
        done += count;
      }
    } catch (error) {
      throw explainFileError(error, path);
    }
    if (endianness() === "BE") bytes.swap16();
  }
}
