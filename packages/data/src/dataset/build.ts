/**
 * Builds a dataset folder: documents from a source → tokens → shards, `stories.arrow`, statistics, and `dataset.json`
 * last. The same source and options give the same bytes, on any machine and with any number of threads.
 */
import { createHash } from "node:crypto";
import { linkSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join, resolve } from "node:path";
import { UserError, writeFileAtomic } from "@mm/run";
import type { Source } from "../sources/source.js";
import { gpt2Tokenizer } from "../tokenizers/gpt2.js";
import { Oracle } from "../tokenizers/oracle.js";
import { BuildFolder } from "./build-folder.js";
import { type EncodedBatch, mixBits } from "./encode.js";
import { type DatasetInfo, INFO_FILE, SAMPLE_FILE, type SourceFile, SPLITS, type Split, STORIES_FILE } from "./info.js";
import { ShardWriter } from "./shard-writer.js";
import { SplitCounter } from "./statistics.js";
import { StoriesWriter } from "./stories-file.js";
import { MORE, packDocuments, TRAIN, VALID } from "./text-batch.js";
import { tokenizeBatches } from "./tokenize.js";

export interface BuildOptions {
  /** Replaces an existing folder, once the new dataset is whole. */
  readonly force?: boolean;
  /** The dataset's name; the folder's where not given. */
  readonly name?: string;
  /** The share of documents that go to validation; the source decides where not given. */
  readonly valid?: number;
  /** Decides which documents go to validation. */
  readonly seed?: number;
  /** Tokens per shard. */
  readonly shardTokens?: number;
  /** Worker threads that tokenize; 0 works in place, and so do inputs below a megabyte. */
  readonly threads?: number;
  /** Whether to keep the text as `stories.arrow`. */
  readonly stories?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: BuildProgress) => void;
}

export interface BuildProgress {
  readonly documents: number;
  readonly tokens: number;
  /** Bytes of text tokenized. */
  readonly bytes: number;
  /** Bytes to expect, where the source knows. */
  readonly expectedBytes: number | undefined;
}

export interface DatasetSummary {
  readonly folder: string;
  readonly info: DatasetInfo;
  readonly seconds: number;
}

/** 256 MiB of uint16 tokens. */
export const SHARD_TOKENS = 1 << 27;
const SAMPLE_DOCUMENTS = 5;
const SAMPLE_CHARACTERS = 2000;

/**
 * @throws UserError for bad input, a folder that exists, a full disk, an interrupted build; then nothing is left behind
 */
export async function buildDataset(
  source: Source,
  folder: string,
  options: BuildOptions = {},
): Promise<DatasetSummary> {
  const started = performance.now();
  const valid = options.valid ?? source.valid ?? 0.01;
  if (!(valid >= 0 && valid < 1)) throw new UserError(`Expected a validation share in [0, 1) but found ${valid}.`);
  const target = new BuildFolder(folder, options.force ?? false);
  try {
    const name = options.name ?? basename(resolve(folder));
    const info = await fillFolder(source, target, { ...options, name, valid, seed: options.seed ?? 0 });
    target.finish();
    return { folder: resolve(folder), info, seconds: (performance.now() - started) / 1000 };
  } catch (error) {
    target.abandon();
    throw error;
  }
}

type Settled = BuildOptions & { name: string; valid: number; seed: number };

async function fillFolder(source: Source, target: BuildFolder, options: Settled): Promise<DatasetInfo> {
  const { name, valid, seed, signal } = options;
  const tokenizer = source.tokenizer ?? gpt2Tokenizer();
  const files: SourceFile[] = [];
  let expectedBytes: number | undefined;
  const context = {
    scratch: target.scratch,
    signal,
    noteFile: (file: SourceFile) => void files.push(file),
    expectBytes: (bytes: number) => {
      expectedBytes = bytes;
    },
  };
  const shards = writersFor(target.path, options.shardTokens ?? SHARD_TOKENS);
  const stories = options.stories === false ? undefined : new StoriesWriter(join(target.path, STORIES_FILE));
  const counters = { train: new SplitCounter(), valid: new SplitCounter() };
  const splitter = new DocumentSplitter(seed, valid);
  const oracle = tokenizer.info.name === "gpt2" ? new Oracle() : undefined;
  const sample: string[] = [];
  let documents = 0;
  try {
    const packed = packDocuments(source.documents(context));
    const threads = options.threads ?? availableParallelism();
    for await (const batch of tokenizeBatches(packed, tokenizer, threads)) {
      throwIfInterrupted(signal);
      const pieces = splitter.assign(batch);
      writeTokens(batch, pieces.splits, shards);
      stories?.write(batch, pieces.documents, pieces.splits);
      for (const split of SPLITS) counters[split].add(batch, pieces.splits, split);
      if (oracle !== undefined) offerSample(batch, oracle);
      if (sample.length < SAMPLE_DOCUMENTS) collectSample(batch, sample);
      documents = splitter.documents;
      options.onProgress?.({
        documents,
        tokens: counters.train.tokens + counters.valid.tokens,
        bytes: counters.train.bytes + counters.valid.bytes,
        expectedBytes,
      });
    }
    throwIfInterrupted(signal);
  } catch (error) {
    for (const split of SPLITS) shards[split].abandon();
    stories?.abandon();
    throw error;
  }
  refuseEmpty(source, documents, counters, valid);

  const finished = { train: shards.train.finish(), valid: shards.valid.finish() };
  const storiesEnd = stories?.finish();
  writeFileAtomic(join(target.path, SAMPLE_FILE), sample.join("\n\n----\n\n") + "\n");
  linkForNanoGpt(target.path, finished);
  const info: DatasetInfo = {
    format: "mm-dataset",
    version: 1,
    name,
    synthetic: source.synthetic,
    description: source.description,
    tokenizer: tokenizer.info,
    source: { kind: source.kind, settings: source.settings, files },
    split: { rule: "a document is in validation when the hash of its text and the seed says so", valid, seed },
    splits: { train: counters.train.finish(finished.train), valid: counters.valid.finish(finished.valid) },
    digest: digestOf(tokenizer.info, finished),
    stories: storiesEnd === undefined ? null : { file: STORIES_FILE, ...storiesEnd },
    verified: oracle === undefined ? null : await oracle.verify(),
  };
  writeFileAtomic(join(target.path, INFO_FILE), `${JSON.stringify(info, null, 2)}\n`);
  return info;
}

type Shards = Record<Split, ShardWriter>;

function writersFor(folder: string, shardTokens: number): Shards {
  return { train: new ShardWriter(folder, "train", shardTokens), valid: new ShardWriter(folder, "valid", shardTokens) };
}

/** Numbers the documents and decides their split: by their source, or by a hash, so that equal texts stay together. */
class DocumentSplitter {
  readonly #seed: number;
  readonly #limit: number;
  /** The split of a document that goes on. */
  #current: Split | undefined;
  documents = 0;

  constructor(seed: number, valid: number) {
    this.#seed = mixBits(seed);
    this.#limit = valid * 2 ** 32;
  }

  assign({ flags, hashes }: EncodedBatch): { documents: Int32Array; splits: Split[] } {
    const documents = new Int32Array(flags.length);
    const splits: Split[] = [];
    for (let piece = 0; piece < flags.length; piece++) {
      const flag = flags[piece]!;
      this.#current ??= flag & VALID ? "valid" : flag & TRAIN ? "train" : this.#byHash(hashes[piece]!);
      documents[piece] = this.documents;
      splits.push(this.#current);
      if ((flag & MORE) === 0) {
        this.#current = undefined;
        this.documents++;
      }
    }
    return { documents, splits };
  }

  #byHash(hash: number): Split {
    return mixBits(hash ^ this.#seed) < this.#limit ? "valid" : "train";
  }
}

/** Writes runs of pieces of the same split. */
function writeTokens({ tokens, tokenEnds }: EncodedBatch, splits: readonly Split[], shards: Shards): void {
  let start = 0;
  for (let piece = 0; piece < splits.length; piece++) {
    if (splits[piece] === splits[piece + 1]) continue;
    shards[splits[piece]!].write(tokens.subarray(start, tokenEnds[piece]));
    start = tokenEnds[piece]!;
  }
}

/** Whole documents of this batch go to the oracle. */
function offerSample(batch: EncodedBatch, oracle: Oracle): void {
  const { bytes, ends, flags, tokens, tokenEnds, hashes } = batch;
  for (let piece = 0; piece < ends.length; piece++) {
    const start = ends[piece - 1] ?? 0;
    const first = piece === 0 || (flags[piece - 1]! & MORE) === 0;
    if (!first || flags[piece]! & MORE || !oracle.wants(hashes[piece]!, ends[piece]! - start)) continue;
    oracle.add(textOf(bytes, start, ends[piece]!), tokens.slice(tokenEnds[piece - 1] ?? 0, tokenEnds[piece]! - 1));
  }
}

function collectSample({ bytes, ends }: EncodedBatch, sample: string[]): void {
  for (let piece = 0; piece < ends.length && sample.length < SAMPLE_DOCUMENTS; piece++) {
    sample.push(textOf(bytes, ends[piece - 1] ?? 0, ends[piece]!).slice(0, SAMPLE_CHARACTERS));
  }
}

/** A U+FEFF at the start is text like any other. */
function textOf(bytes: Uint8Array, start: number, end: number): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(start, end));
}

function refuseEmpty(source: Source, documents: number, counters: Record<Split, SplitCounter>, valid: number): void {
  if (documents === 0) {
    throw new UserError(`Expected text from the source "${source.kind}" but found none.`, {
      hint: "Check that the files are the right ones and not empty.",
    });
  }
  for (const split of SPLITS) {
    if (counters[split].documents > 0 || (split === "valid" && valid === 0)) continue;
    throw new UserError(
      `Expected documents for both splits, but all ${documents} fell into one (validation share ${valid}).`,
      { hint: "Give more documents, cut long ones into passages, or ask for another share or seed." },
    );
  }
}

/** nanoGPT reads `train.bin` and `val.bin`: the same files under another name while one shard holds everything. */
function linkForNanoGpt(folder: string, shards: Record<Split, readonly { file: string }[]>): void {
  const names = { train: "train.bin", valid: "val.bin" };
  for (const split of SPLITS) {
    if (shards[split].length !== 1) continue;
    try {
      linkSync(join(folder, shards[split][0]!.file), join(folder, names[split]));
    } catch {
      // Some file systems know no links; the README says which file to rename then.
    }
  }
}

function digestOf(tokenizer: DatasetInfo["tokenizer"], shards: Record<Split, readonly { sha256: string }[]>): string {
  const hash = createHash("sha256").update(`${tokenizer.name} ${tokenizer.vocabulary}\n`);
  for (const split of SPLITS) for (const { sha256 } of shards[split]) hash.update(`${split} ${sha256}\n`);
  return `sha256:${hash.digest("hex")}`;
}

function throwIfInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new UserError("The build was interrupted; nothing was kept.", { hint: "Run the same command again." });
  }
}
