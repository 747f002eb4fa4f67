/**
 * TinyStories (Eldan and Li 2023) in any of its published forms: text with <|endoftext|> between stories, the JSON
 * shards with prompts and summaries (field "story"), or the Parquet files of the Hugging Face hub (column "text").
 */
import { parseConfig } from "@mm/run";
import { z } from "zod";
import type { Split } from "../dataset/info.js";
import type { Document } from "../dataset/text-batch.js";
import { expandInputs } from "../files/inputs.js";
import { PARQUET_ENDINGS, readDocuments } from "../files/read-documents.js";
import { expectFiles } from "../files/text-stream.js";
import { JSON_ENDINGS } from "./jsonl.js";
import type { Source } from "./source.js";
import { TEXT_ENDINGS } from "./text.js";

export const TinyStoriesConfig = z.strictObject({
  files: z.array(z.string()).describe("the downloaded files, or a folder with them"),
  keepSplit: z.boolean().default(true).describe("files with train or valid in their name go to that split"),
});
export type TinyStoriesConfig = z.input<typeof TinyStoriesConfig>;

export function tinystoriesSource(config: TinyStoriesConfig): Source {
  const { files, keepSplit } = parseConfig(TinyStoriesConfig, config, { source: 'the source "tinystories"' });
  const inputs = expandInputs(files, [...TEXT_ENDINGS, ...JSON_ENDINGS, ...PARQUET_ENDINGS]);
  return {
    kind: "tinystories",
    description: "TinyStories (Eldan and Li 2023).",
    // GPT-3.5 and GPT-4 wrote these stories.
    synthetic: true,
    settings: { keepSplit },
    async *documents(context): AsyncIterable<Document> {
      expectFiles(inputs, context);
      for (const input of inputs) {
        const field = /\.json/.test(input) ? "story" : "text";
        const split = keepSplit ? splitOf(input) : undefined;
        const documents = readDocuments(input, { field, separator: "<|endoftext|>" }, context);
        if (split === undefined) yield* documents;
        else for await (const { text } of documents) yield { text, split };
      }
    },
  };
}

function splitOf(path: string): Split | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return /valid/i.test(name) ? "valid" : /train/i.test(name) ? "train" : undefined;
}
