/** Tokenizes batches in their order, on worker threads as soon as there is more than one batch. */

import type { Tokenizer } from "../tokenizers/tokenizer.js";
import { runOrdered } from "../workers/ordered-pool.js";
import { batchBuffers, type EncodedBatch, encodeBatch } from "./encode.js";
import type { TextBatch } from "./text-batch.js";

/** @param threads worker threads for GPT-2's tokenizer; 0 tokenizes in place */
export async function* tokenizeBatches(
  batches: AsyncIterator<TextBatch, undefined>,
  tokenizer: Tokenizer,
  threads: number,
): AsyncGenerator<EncodedBatch> {
  const first = await batches.next();
  if (first.done) return;
  const second = await batches.next();
  const all = chain([first.value, ...(second.done ? [] : [second.value])], batches);
  if (second.done || threads === 0 || tokenizer.info.name !== "gpt2") {
    for await (const batch of all) yield encodeBatch(batch, tokenizer);
    return;
  }
  async function* jobs() {
    for await (const batch of all) yield { message: batch, transfer: batchBuffers(batch) };
  }
  yield* runOrdered<EncodedBatch>(new URL("./encode-worker.js", import.meta.url), jobs(), threads);
}

async function* chain<T>(head: T[], tail: AsyncIterator<T, undefined>): AsyncGenerator<T> {
  try {
    yield* head;
    for (let next = await tail.next(); !next.done; next = await tail.next()) yield next.value;
  } finally {
    await tail.return?.();
  }
}
