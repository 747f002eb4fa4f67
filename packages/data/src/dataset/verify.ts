/** Checks a dataset folder against its own description: what `mm data verify` prints. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { explainFileError } from "@mm/run";
import { type Dataset, openDataset } from "./dataset.js";
import { SPLITS } from "./info.js";

export interface VerifiedFile {
  readonly file: string;
  readonly bytes: number;
  /** What is wrong with the file; empty when everything is as described. */
  readonly problems: readonly string[];
}

/**
 * Reads every byte once: checksums, that each token is in the vocabulary, and that each split has as many end-of-text
 * tokens as documents and ends with one.
 *
 * @throws UserError when the folder is no dataset or a shard has another size than described
 */
export async function* verifyDataset(folder: string): AsyncGenerator<VerifiedFile> {
  const dataset = openDataset(folder);
  const { info } = dataset;
  const { vocabulary, endOfText } = info.tokenizer;
  for (const split of SPLITS) {
    let ends = 0;
    const { shards, documents } = info.splits[split];
    for (const [index, shard] of shards.entries()) {
      const { bytes, sha256, largest, count, last } = await scan(join(folder, shard.file), endOfText);
      const problems: string[] = [];
      if (sha256 !== shard.sha256) problems.push(`its checksum is ${sha256}, not ${shard.sha256}`);
      if (largest >= vocabulary) problems.push(`it holds the token ${largest}, but the vocabulary has ${vocabulary}`);
      ends += count;
      if (endOfText !== null && index === shards.length - 1) {
        if (ends !== documents) problems.push(`the split has ${ends} end-of-text tokens for ${documents} documents`);
        if (documents > 0 && last !== endOfText) problems.push("the split does not end with an end-of-text token");
      }
      yield { file: shard.file, bytes, problems };
    }
  }
  yield* verifyStories(dataset);
}

async function* verifyStories({ folder, info }: Dataset): AsyncGenerator<VerifiedFile> {
  if (info.stories === null) return;
  const { file, sha256 } = info.stories;
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of chunks(join(folder, file))) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  const found = hash.digest("hex");
  yield { file, bytes, problems: found === sha256 ? [] : [`its checksum is ${found}, not ${sha256}`] };
}

interface Scan {
  bytes: number;
  sha256: string;
  /** The largest token, or −1. */
  largest: number;
  /** How many end-of-text tokens. */
  count: number;
  /** The last token, or −1. */
  last: number;
}

async function scan(path: string, endOfText: number | null): Promise<Scan> {
  const hash = createHash("sha256");
  const result = { bytes: 0, largest: -1, count: 0, last: -1 };
  for await (const chunk of chunks(path)) {
    hash.update(chunk);
    result.bytes += chunk.length;
    for (let at = 0; at + 1 < chunk.length; at += 2) {
      const token = chunk[at]! | (chunk[at + 1]! << 8);
      if (token > result.largest) result.largest = token;
      if (token === endOfText) result.count++;
      result.last = token;
    }
  }
  return { ...result, sha256: hash.digest("hex") };
}

/** Pieces of even length, but for the last. */
async function* chunks(path: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw explainFileError(error, path);
  }
}
