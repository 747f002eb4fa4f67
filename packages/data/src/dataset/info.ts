/**
 * `dataset.json`: what a dataset folder holds, and the sign that it is complete. It is written last; a folder without a
 * valid one is not a dataset.
 *
 *   datasets/<name>/  train-000.bin …  valid-000.bin …   token ids, little-endian uint16, nothing else in the file
 *                     train.bin  val.bin                 hard links to a lone shard, the names that nanoGPT reads
 *                     stories.arrow                      text, split, token and character count of each document
 *                     sample.txt                         the first documents, to look at
 *                     dataset.json
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { explainFileError, UserError } from "@mm/run";
import { z } from "zod";

export const SPLITS = ["train", "valid"] as const;
export type Split = (typeof SPLITS)[number];

export const INFO_FILE = "dataset.json";
export const STORIES_FILE = "stories.arrow";
export const SAMPLE_FILE = "sample.txt";

const Count = z.number().int().nonnegative();
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits");

export const ShardInfo = z.object({ file: z.string(), tokens: Count, sha256: Sha256 });
export type ShardInfo = z.infer<typeof ShardInfo>;

/** The paper's Table 1, and what it is computed from. */
export const SplitInfo = z.object({
  documents: Count,
  /** Including one end-of-text token for each document. */
  tokens: Count,
  /** Unicode code points. */
  characters: Count,
  bytes: Count,
  meanTokens: z.number(),
  meanCharacters: z.number(),
  longest: Count.describe("tokens of the longest document"),
  shards: z.array(ShardInfo),
});
export type SplitInfo = z.infer<typeof SplitInfo>;

export const TokenizerInfo = z.object({
  name: z.string(),
  /** Token ids are below this number. */
  vocabulary: z.number().int().min(1).max(65_536),
  /** The token after each document, or null where documents need none. */
  endOfText: z.number().int().nullable(),
  /** The symbols in the order of their ids, for the tokenizer "symbols". */
  alphabet: z.string().optional(),
});
export type TokenizerInfo = z.infer<typeof TokenizerInfo>;

export const SourceFile = z.object({ path: z.string(), bytes: Count, sha256: Sha256 });
export type SourceFile = z.infer<typeof SourceFile>;

export const DatasetInfo = z.object({
  format: z.literal("mm-dataset"),
  version: z.literal(1),
  name: z.string(),
  /** True when a program wrote the text: such a dataset says so wherever it appears. */
  synthetic: z.boolean(),
  description: z.string(),
  tokenizer: TokenizerInfo,
  source: z.object({ kind: z.string(), settings: z.record(z.string(), z.unknown()), files: z.array(SourceFile) }),
  split: z.object({ rule: z.string(), valid: z.number(), seed: z.number().int() }),
  splits: z.object({ train: SplitInfo, valid: SplitInfo }),
  /** sha256 over the tokenizer and the checksums of all shards: equal digests mean equal tokens in equal order. */
  digest: z.string(),
  stories: z.object({ file: z.string(), rows: Count, sha256: Sha256 }).nullable(),
  /** The documents whose ids were compared with another tokenizer while building. */
  verified: z.object({ oracle: z.string(), documents: Count, tokens: Count }).nullable(),
});
export type DatasetInfo = z.infer<typeof DatasetInfo>;

/**
 * Reads and checks `dataset.json`.
 *
 * @throws UserError when the folder is no dataset, or its description is damaged or of a newer version
 */
export function readDatasetInfo(folder: string): DatasetInfo {
  const path = join(folder, INFO_FILE);
  if (!existsSync(path)) {
    const found = existsSync(folder) ? `a folder without ${INFO_FILE}` : "nothing";
    throw new UserError(`Expected a dataset in ${folder} but found ${found}.`, {
      hint: `Build it first, for example: mm build-dataset stories --out ${folder}`,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw explainFileError(error, path);
    throw new UserError(`Expected JSON in ${path} but could not read it: ${error.message}.`, {
      hint: "Build the dataset again.",
    });
  }
  const parsed = DatasetInfo.safeParse(value);
  if (!parsed.success) {
    const [fault] = parsed.error.issues;
    throw new UserError(
      `Expected the description of a dataset in ${path} but its field "${fault!.path.join(".")}" is wrong: ${fault!.message}.`,
      { hint: "Build the dataset again with this version of mm." },
    );
  }
  return parsed.data;
}
