/** Opening a dataset folder for reading. */
import { statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { explainFileError, UserError } from "@mm/run";
import { type DatasetInfo, readDatasetInfo, SPLITS, type Split } from "./info.js";
import { TokenStream } from "./token-stream.js";

export class Dataset {
  readonly folder: string;
  readonly info: DatasetInfo;
  readonly #streams = new Map<Split, TokenStream>();

  constructor(folder: string, info: DatasetInfo) {
    this.folder = folder;
    this.info = info;
  }

  /** The dataset's name: what figures and runs call it. */
  get name(): string {
    return this.info.name;
  }

  /** Equal digests mean equal tokens in equal order. */
  get digest(): string {
    return this.info.digest;
  }

  /** Token ids are below this number. */
  get vocabulary(): number {
    return this.info.tokenizer.vocabulary;
  }

  /** All tokens of a split, one document after the other, each followed by the end-of-text token. */
  tokens(split: Split): TokenStream {
    let stream = this.#streams.get(split);
    if (stream === undefined) {
      const shards = this.info.splits[split].shards;
      stream = new TokenStream(shards.map(({ file, tokens }) => ({ path: join(this.folder, file), tokens })));
      this.#streams.set(split, stream);
    }
    return stream;
  }

  /** Closes all files. */
  close(): void {
    for (const stream of this.#streams.values()) stream.close();
  }
}

/**
 * Opens a dataset: reads its description and checks that every shard is there with the right size. Tokens are read
 * later, on use; `verifyDataset` reads and checks everything.
 *
 * @throws UserError when the folder is no dataset, or a shard is missing or has another size than described
 */
export function openDataset(folder: string): Dataset {
  const info = readDatasetInfo(folder);
  for (const split of SPLITS) {
    for (const { file, tokens } of info.splits[split].shards) {
      if (basename(file) !== file) {
        throw new UserError(`Expected a plain file name for a shard of ${folder} but found "${file}".`);
      }
      const path = join(folder, file);
      const size = sizeOf(path);
      if (size !== tokens * 2) {
        throw new UserError(`Expected ${tokens} tokens (${tokens * 2} bytes) in ${path} but found ${size} bytes.`, {
          hint: "The dataset is damaged; build it again.",
        });
      }
    }
  }
  return new Dataset(resolve(folder), info);
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    throw explainFileError(error, path);
  }
}
