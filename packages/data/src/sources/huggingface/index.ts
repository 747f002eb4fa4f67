/** A dataset repository of the Hugging Face hub, or of a server that speaks the same protocol. */
import { homedir } from "node:os";
import { join } from "node:path";
import { parseConfig, UserError } from "@mm/run";
import { z } from "zod";
import type { Split } from "../../dataset/info.js";
import type { Document } from "../../dataset/text-batch.js";
import { globPattern } from "../../files/inputs.js";
import { readDocuments } from "../../files/read-documents.js";
import { readApiKey } from "../../llm/api-key.js";
import { Address } from "../../llm/endpoint.js";
import type { Source, SourceContext } from "../source.js";
import { fetchFile, listFiles, type Repository } from "./repository.js";

export const HuggingFaceConfig = z.strictObject({
  repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'expected "owner/name"'),
  revision: z.string().default("main").describe("a branch, tag or commit"),
  pattern: z
    .string()
    .default("**/*.{parquet,jsonl,json,txt,arrow,jsonl.gz,json.gz,txt.gz}")
    .describe("which files of the repository"),
  field: z.string().default("text").describe("the field or column that holds the text"),
  separator: z.string().min(1).default("<|endoftext|>").describe("what stands between the documents of text files"),
  keepSplit: z.boolean().default(true).describe("files with train, valid or test in their name go to that split"),
  endpoint: Address.default("https://huggingface.co"),
  cache: z
    .string()
    .default(() => join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "mm", "datasets"))
    .describe("where fetched files are kept"),
});
export type HuggingFaceConfig = z.input<typeof HuggingFaceConfig>;

/** The environment variable that holds a token for private repositories. */
const TOKEN = "HF_TOKEN";

export function huggingfaceSource(config: HuggingFaceConfig): Source {
  const parsed = parseConfig(HuggingFaceConfig, config, { source: 'the source "huggingface"' });
  const { repository: name, revision, pattern, field, separator, keepSplit, endpoint, cache } = parsed;
  const repository: Repository = {
    endpoint: endpoint.replace(/\/$/, ""),
    name,
    revision,
    token: process.env[TOKEN]?.trim() ? readApiKey({ variable: TOKEN })?.reveal() : undefined,
  };
  return {
    kind: "huggingface",
    description: `The dataset ${name} (${revision}) from ${new URL(endpoint).host}.`,
    synthetic: false,
    settings: { repository: name, revision, pattern, field, separator, keepSplit, endpoint },
    async *documents(context): AsyncIterable<Document> {
      const wanted = globPattern(pattern);
      const files = (await listFiles(repository, context.signal)).filter(({ path }) => wanted.test(path));
      if (files.length === 0) throw new UserError(`Expected files that match "${pattern}" in ${name} but found none.`);
      files.sort((a, b) => (a.path < b.path ? -1 : 1));
      const folder = join(cache, name, revision);
      for (const file of files) {
        const path = await fetchFile(repository, file, folder, context.signal);
        const split = keepSplit ? splitOf(file.path) : undefined;
        for await (const document of readDocuments(path, { field, separator }, named(context, file.path))) {
          yield split === undefined ? document : { ...document, split };
        }
      }
    },
  };
}

/** Files are noted by their name in the repository, not by their place in the cache. */
function named(context: SourceContext, name: string): SourceContext {
  return { ...context, noteFile: (file) => context.noteFile({ ...file, path: name }) };
}

/** The hub's convention: "data/train-00000-of-00004.parquet", "validation.jsonl", "TinyStories-valid.txt". */
function splitOf(path: string): Split | undefined {
  if (/(^|[^a-z])(valid|validation|val|test)([^a-z]|$)/i.test(path)) return "valid";
  return /(^|[^a-z])train([^a-z]|$)/i.test(path) ? "train" : undefined;
}
