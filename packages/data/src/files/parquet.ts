/** One text column of a Parquet file, row group by row group. */
import { UserError } from "@mm/run";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";

/** Rows held in memory at a time, where a row group has more. */
const ROWS = 10_000;

/** @throws UserError for a damaged file, or a missing column */
export async function* readParquetColumn(path: string, column: string): AsyncGenerator<unknown> {
  const file = await readable(path, asyncBufferFromFile(path));
  const metadata = await readable(path, parquetMetadataAsync(file));
  const columns = metadata.schema.slice(1).map(({ name }) => name);
  if (!columns.includes(column)) {
    throw new UserError(`Expected the column "${column}" in ${path} but found: ${columns.join(", ")}.`, {
      hint: "Name the column that holds the text.",
    });
  }
  let start = 0;
  for (const group of metadata.row_groups) {
    const groupEnd = start + Number(group.num_rows);
    while (start < groupEnd) {
      const rowEnd = Math.min(start + ROWS, groupEnd);
      const options = { file, metadata, compressors, columns: [column], rowStart: start, rowEnd };
      for (const row of await readable(path, parquetReadObjects(options))) yield row[column];
      start = rowEnd;
    }
  }
}

async function readable<T>(path: string, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    throw new UserError(`Expected a Parquet file in ${path} but could not read it: ${(error as Error).message}.`, {
      hint: "The file is damaged, cut short or of another format.",
      cause: error,
    });
  }
}
