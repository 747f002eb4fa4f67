/** Writes a stream of tokens as shards `<split>-000.bin`, `<split>-001.bin`, … of little-endian uint16. */
import { createHash, type Hash } from "node:crypto";
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { endianness } from "node:os";
import { join } from "node:path";
import { explainFileError } from "@mm/run";
import type { ShardInfo, Split } from "./info.js";

/** Bytes gathered before they go to the file. */
const BUFFER = 1 << 20;

export class ShardWriter {
  readonly #folder: string;
  readonly #split: Split;
  readonly #shardTokens: number;
  readonly #finished: ShardInfo[] = [];
  readonly #buffer = new Uint16Array(BUFFER / 2);
  #used = 0;
  #open: { file: string; descriptor: number; hash: Hash; tokens: number } | undefined;

  /** @param shardTokens tokens after which a new shard begins */
  constructor(folder: string, split: Split, shardTokens: number) {
    this.#folder = folder;
    this.#split = split;
    this.#shardTokens = shardTokens;
  }

  write(tokens: Uint16Array): void {
    for (let at = 0; at < tokens.length; ) {
      this.#open ??= this.#start();
      const room = Math.min(this.#buffer.length - this.#used, this.#shardTokens - this.#open.tokens);
      const part = tokens.subarray(at, at + room);
      this.#buffer.set(part, this.#used);
      this.#used += part.length;
      this.#open.tokens += part.length;
      at += part.length;
      if (this.#open.tokens === this.#shardTokens) this.#end();
      else if (this.#used === this.#buffer.length) this.#flush();
    }
  }

  /** Completes the last shard; a split without any token still gets one empty shard. */
  finish(): ShardInfo[] {
    if (this.#open === undefined && this.#finished.length === 0) this.#open = this.#start();
    this.#end();
    return this.#finished;
  }

  /** Closes the file of an abandoned build. */
  abandon(): void {
    if (this.#open !== undefined) closeSync(this.#open.descriptor);
    this.#open = undefined;
  }

  #start() {
    const file = `${this.#split}-${String(this.#finished.length).padStart(3, "0")}.bin`;
    const path = join(this.#folder, file);
    try {
      return { file, descriptor: openSync(path, "wx"), hash: createHash("sha256"), tokens: 0 };
    } catch (error) {
      throw explainFileError(error, path);
    }
  }

  #flush(): void {
    const { file, descriptor, hash } = this.#open!;
    const bytes = Buffer.from(this.#buffer.buffer, 0, this.#used * 2);
    if (endianness() === "BE") bytes.swap16();
    hash.update(bytes);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    } catch (error) {
      throw explainFileError(error, join(this.#folder, file));
    }
    this.#used = 0;
  }

  #end(): void {
    if (this.#open === undefined) return;
    this.#flush();
    const { file, descriptor, hash, tokens } = this.#open;
    try {
      fsyncSync(descriptor);
    } catch (error) {
      throw explainFileError(error, join(this.#folder, file));
    } finally {
      closeSync(descriptor);
      this.#open = undefined;
    }
    this.#finished.push({ file, tokens, sha256: hash.digest("hex") });
  }
}
