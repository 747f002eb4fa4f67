/** JSON lines (strings, or objects with a text field) and JSON arrays of the same. */
import { parseConfig } from "@mm/run";
import { z } from "zod";
import type { Document } from "../dataset/text-batch.js";
import { expandInputs } from "../files/inputs.js";
import { jsonRecords, textField } from "../files/json-records.js";
import { expectFiles, readText } from "../files/text-stream.js";
import type { Source } from "./source.js";

export const JsonlConfig = z.strictObject({
  files: z.array(z.string()).describe('files, folders, patterns, or "-" for the standard input'),
  field: z.string().default("text").describe("the field that holds the text, where lines are objects"),
});
export type JsonlConfig = z.input<typeof JsonlConfig>;

export const JSON_ENDINGS = [".jsonl", ".jsonl.gz", ".ndjson", ".json", ".json.gz"];

export function jsonlSource(config: JsonlConfig): Source {
  const { files, field } = parseConfig(JsonlConfig, config, { source: 'the source "jsonl"' });
  const inputs = expandInputs(files, JSON_ENDINGS);
  return {
    kind: "jsonl",
    description: `The field "${field}" of JSON records in ${inputs.length === 1 ? inputs[0] : `${inputs.length} files`}.`,
    synthetic: false,
    settings: { field },
    async *documents(context): AsyncIterable<Document> {
      expectFiles(inputs, context);
      for (const input of inputs) {
        for await (const record of jsonRecords(readText(input, context), input)) {
          const text = textField(record, field);
          if (text.trim() !== "") yield { text };
        }
      }
    },
  };
}
