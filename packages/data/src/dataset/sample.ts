/** Random documents of a dataset: what `mm data sample` prints. */
import { join } from "node:path";
import { Rng, UserError } from "@mm/run";
import { tokenizerFor } from "../tokenizers/index.js";
import { type Dataset, openDataset } from "./dataset.js";
import type { Split } from "./info.js";
import { readStories, type StoryRow } from "./stories-file.js";

export interface SampleOptions {
  readonly count?: number;
  readonly seed?: number;
  readonly split?: Split;
}

/** Tokens shown where a dataset has no end-of-text token. */
const WINDOW = 256;

/**
 * Documents found at random places of the split's tokens: the document that holds the drawn token, decoded from its
 * ids, so that the tokens themselves are shown to be right. Long documents have a larger chance, as in training.
 *
 * @throws UserError when the split is empty
 */
export function sampleDataset(folder: string, { count = 3, seed = 0, split = "train" }: SampleOptions = {}): string[] {
  const dataset = openDataset(folder);
  const stream = dataset.tokens(split);
  if (stream.length === 0)
    throw new UserError(`Expected documents in the split "${split}" of ${folder} but found none.`);
  const tokenizer = tokenizerFor(dataset.info.tokenizer);
  const rng = Rng.fromSeed(seed).fork("sample");
  try {
    return Array.from({ length: count }, () => {
      const [start, end] = documentAround(dataset, split, rng.integer(0, stream.length));
      return tokenizer.decode(stream.slice(start, end));
    });
  } finally {
    dataset.close();
  }
}

/** The tokens [start, end) of the document that holds position `at`, without its end-of-text token. */
function documentAround(dataset: Dataset, split: Split, at: number): [number, number] {
  const { endOfText } = dataset.info.tokenizer;
  const stream = dataset.tokens(split);
  if (endOfText === null) return [at, Math.min(at + WINDOW, stream.length)];
  let start = at;
  while (start > 0 && stream.at(start - 1) !== endOfText) start--;
  let end = at;
  while (end < stream.length && stream.at(end) !== endOfText) end++;
  return [start, end];
}

/** The first documents in the order of the source, with their counts. */
export async function firstStories(folder: string, count: number): Promise<StoryRow[]> {
  const { info } = openDataset(folder);
  if (info.stories === null) {
    throw new UserError(`Expected ${folder} to keep its text, but it was built without.`, {
      hint: "Build it again with the text, or look at decoded samples.",
    });
  }
  const rows: StoryRow[] = [];
  for await (const row of readStories(join(folder, info.stories.file))) {
    if (rows.push(row) >= count) break;
  }
  return rows;
}
