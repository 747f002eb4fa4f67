/** The worker thread that tokenizes with GPT-2's tokenizer: a TextBatch comes in, an EncodedBatch goes out. */
import { parentPort } from "node:worker_threads";
import { gpt2Tokenizer } from "../tokenizers/gpt2.js";
import { batchBuffers, encodeBatch } from "./encode.js";
import type { TextBatch } from "./text-batch.js";

const tokenizer = gpt2Tokenizer();
parentPort!.on("message", (batch: TextBatch) => {
  const encoded = encodeBatch(batch, tokenizer);
  parentPort!.postMessage(encoded, batchBuffers(encoded));
});
