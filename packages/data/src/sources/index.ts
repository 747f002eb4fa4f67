/** The sources that datasets are built from. A new one is a file here and a line below. */
import type { ZodType } from "zod";
import { BabiStoriesArchiveConfig, babistoriesArchiveSource } from "./babistories/archive.js";
import { HuggingFaceConfig, huggingfaceSource } from "./huggingface/index.js";
import { JsonlConfig, jsonlSource } from "./jsonl.js";
import type { Source } from "./source.js";
import { StoriesConfig, storiesSource } from "./stories/index.js";
import { TableConfig, tableSource } from "./table.js";
import { TextConfig, textSource } from "./text.js";
import { TinyStoriesConfig, tinystoriesSource } from "./tinystories.js";
import { WikiConfig, wikiSource } from "./wiki.js";

export interface SourceKind<Config> {
  readonly title: string;
  /** True when the source reads files, named by the field `files` of its configuration. */
  readonly takesFiles: boolean;
  readonly config: ZodType<unknown, Config>;
  /** @throws UserError for a wrong configuration, or when files are missing */
  open(config: Config): Source;
}

function kind<Config>(entry: SourceKind<Config>): SourceKind<Config> {
  return entry;
}

export const sources = {
  stories: kind({
    title: "synthetic children's stories in the manner of BabiStories, from a seed; needs no download",
    takesFiles: false,
    config: StoriesConfig,
    open: storiesSource,
  }),
  text: kind({
    title: "text files, folders, patterns, gzip files or the standard input",
    takesFiles: true,
    config: TextConfig,
    open: textSource,
  }),
  jsonl: kind({
    title: "JSON lines or JSON arrays of strings or of objects with a text field",
    takesFiles: true,
    config: JsonlConfig,
    open: jsonlSource,
  }),
  table: kind({
    title: "Parquet and Arrow files with a text column",
    takesFiles: true,
    config: TableConfig,
    open: tableSource,
  }),
  tinystories: kind({
    title: "TinyStories: text, JSON shards or Parquet files as published",
    takesFiles: true,
    config: TinyStoriesConfig,
    open: tinystoriesSource,
  }),
  "babistories-archive": kind({
    title: "the official BabiStories archive (.7z.001 …) or the files in it",
    takesFiles: true,
    config: BabiStoriesArchiveConfig,
    open: babistoriesArchiveSource,
  }),
  wiki: kind({
    title: "WikiText or extracted Wikipedia articles, for the out-of-distribution test",
    takesFiles: true,
    config: WikiConfig,
    open: wikiSource,
  }),
  huggingface: kind({
    title: "a dataset repository of the Hugging Face hub, over HTTP(S)",
    takesFiles: false,
    config: HuggingFaceConfig,
    open: huggingfaceSource,
  }),
};
export type SourceName = keyof typeof sources;
