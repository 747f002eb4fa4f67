/** Reading Arrow IPC files (also called Feather version 2) batch by batch. */
import { type FileHandle, open } from "node:fs/promises";
import { explainFileError, UserError } from "@mm/run";
import { type AsyncRecordBatchFileReader, type RecordBatch, RecordBatchReader } from "apache-arrow";

/**
 * The record batches of a file, one in memory at a time.
 *
 * @throws UserError when the file is missing, or is no Arrow file or a damaged one
 */
export async function* readArrowFile(path: string): AsyncGenerator<RecordBatch> {
  let handle: FileHandle;
  try {
    handle = await open(path);
  } catch (error) {
    throw explainFileError(error, path);
  }
  try {
    const reader = await understood(path, openReader(handle));
    for (let index = 0; index < reader.numRecordBatches; index++) {
      yield (await understood(path, reader.readRecordBatch(index)))!;
    }
  } finally {
    await handle.close();
  }
}

async function openReader(handle: FileHandle): Promise<AsyncRecordBatchFileReader> {
  const reader = await RecordBatchReader.from(handle);
  if (!reader.isFile()) throw new Error("it does not begin and end as an Arrow file");
  return (await reader.open({ autoDestroy: false })) as AsyncRecordBatchFileReader;
}

async function understood<T>(path: string, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    throw new UserError(`Expected an Arrow file in ${path} but could not read it: ${(error as Error).message}.`, {
      hint: "The file is damaged or of another format.",
      cause: error,
    });
  }
}
