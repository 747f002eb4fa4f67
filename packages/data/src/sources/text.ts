/** Plain text: files, folders, patterns, gzip files, the standard input. */
import { parseConfig } from "@mm/run";
import { z } from "zod";
import type { Document } from "../dataset/text-batch.js";
import { expandInputs } from "../files/inputs.js";
import { passages, splitAt, trim } from "../files/split-text.js";
import { expectFiles, readText } from "../files/text-stream.js";
import type { Source } from "./source.js";

export const TextConfig = z.strictObject({
  files: z.array(z.string()).describe('files, folders, patterns, or "-" for the standard input'),
  documents: z
    .enum(["passage", "file", "separator"])
    .default("passage")
    .describe(
      "what counts as one document: a passage of some paragraphs, a whole file, or what stands between separators",
    ),
  separator: z.string().min(1).default("<|endoftext|>").describe("for documents: separator"),
  passage: z.number().int().min(64).default(4096).describe("bytes of a passage, at least"),
});
export type TextConfig = z.input<typeof TextConfig>;

export const TEXT_ENDINGS = [".txt", ".txt.gz", ".md", ".text"];

export function textSource(config: TextConfig): Source {
  const { files, documents, separator, passage } = parseConfig(TextConfig, config, { source: 'the source "text"' });
  const inputs = expandInputs(files, TEXT_ENDINGS);
  return {
    kind: "text",
    description: `Text of ${inputs.length === 1 ? inputs[0] : `${inputs.length} files`}.`,
    synthetic: false,
    settings: {
      documents,
      ...(documents === "separator" && { separator }),
      ...(documents === "passage" && { passage }),
    },
    valid: 0.1,
    async *documents(context): AsyncIterable<Document> {
      expectFiles(inputs, context);
      for (const input of inputs) {
        const text = readText(input, context);
        if (documents === "separator") yield* splitAt(text, separator);
        else if (documents === "passage") yield* passages(text, passage);
        else yield* wholeFile(text);
      }
    },
  };
}

/** One document, unless the file has nothing but white space. */
async function* wholeFile(text: AsyncIterable<Buffer>): AsyncGenerator<Document> {
  let any = false;
  for await (const piece of text) {
    if (!any && trim(piece).length === 0) continue;
    any = true;
    yield { text: piece, more: true };
  }
  if (any) yield { text: "" };
}
