/** Documents of a file whose ending tells the format: Parquet, Arrow, JSON lines, JSON arrays, or separated text. */
import { UserError } from "@mm/run";
import { readArrowFile } from "../dataset/arrow-file.js";
import type { Document } from "../dataset/text-batch.js";
import type { SourceContext } from "../sources/source.js";
import { checksum } from "./checksum.js";
import { jsonRecords, textField } from "./json-records.js";
import { readParquetColumn } from "./parquet.js";
import { splitAt } from "./split-text.js";
import { readText } from "./text-stream.js";

export interface DocumentFormat {
  /** The field or column that holds the text. */
  readonly field: string;
  /** What stands between the documents of a text file. */
  readonly separator: string;
}

export const PARQUET_ENDINGS = [".parquet"];
export const ARROW_ENDINGS = [".arrow", ".feather"];

export async function* readDocuments(
  path: string,
  { field, separator }: DocumentFormat,
  context: SourceContext,
): AsyncGenerator<Document> {
  const name = path.replace(/\.gz$/, "");
  const ends = (endings: readonly string[]) => endings.some((ending) => name.endsWith(ending));
  if (ends(PARQUET_ENDINGS)) yield* noted(path, context, textsOf(path, readParquetColumn(path, field), field));
  else if (ends(ARROW_ENDINGS)) yield* noted(path, context, textsOf(path, arrowColumn(path, field), field));
  else if (ends([".jsonl", ".ndjson", ".json"])) {
    for await (const record of jsonRecords(readText(path, context), path)) {
      const text = textField(record, field);
      if (text.trim() !== "") yield { text };
    }
  } else yield* splitAt(readText(path, context), separator);
}

async function* noted(path: string, context: SourceContext, documents: AsyncIterable<Document>) {
  yield* documents;
  context.noteFile(await checksum(path));
}

/** Empty rows are left out; anything but text is refused. */
async function* textsOf(path: string, values: AsyncIterable<unknown>, field: string): AsyncGenerator<Document> {
  let row = 0;
  for await (const value of values) {
    row++;
    if (value === null || value === undefined) continue;
    if (typeof value !== "string") {
      throw new UserError(`Expected text in the column "${field}" of ${path}, row ${row}, but found ${typeof value}.`);
    }
    if (value.trim() !== "") yield { text: value };
  }
}

async function* arrowColumn(path: string, column: string): AsyncGenerator<unknown> {
  for await (const batch of readArrowFile(path)) {
    const values = batch.getChild(column);
    if (values === null) {
      const columns = batch.schema.fields.map(({ name }) => name).join(", ");
      throw new UserError(`Expected the column "${column}" in ${path} but found: ${columns}.`, {
        hint: "Name the column that holds the text.",
      });
    }
    yield* values;
  }
}
