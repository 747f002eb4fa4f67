/** Parquet and Arrow files with a column of text. */
import { parseConfig } from "@mm/run";
import { z } from "zod";
import type { Document } from "../dataset/text-batch.js";
import { expandInputs } from "../files/inputs.js";
import { ARROW_ENDINGS, PARQUET_ENDINGS, readDocuments } from "../files/read-documents.js";
import type { Source } from "./source.js";

export const TableConfig = z.strictObject({
  files: z.array(z.string()).describe("files, folders or patterns"),
  column: z.string().default("text").describe("the column that holds the text"),
});
export type TableConfig = z.input<typeof TableConfig>;

export function tableSource(config: TableConfig): Source {
  const { files, column } = parseConfig(TableConfig, config, { source: 'the source "table"' });
  const inputs = expandInputs(files, [...PARQUET_ENDINGS, ...ARROW_ENDINGS]);
  return {
    kind: "table",
    description: `The column "${column}" of ${inputs.length === 1 ? inputs[0] : `${inputs.length} files`}.`,
    synthetic: false,
    settings: { column },
    async *documents(context): AsyncIterable<Document> {
      for (const input of inputs) yield* readDocuments(input, { field: column, separator: "" }, context);
    },
  };
}
