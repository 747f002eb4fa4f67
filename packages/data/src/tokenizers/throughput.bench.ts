/**
 * Our tokenizer beside Python's tiktoken, on the same texts and threads, in alternating rounds of one run:
 *
 *   node --conditions=mm-src --import ./scripts/typescript-loader.js packages/data/src/tokenizers/throughput.bench.ts PYTHON FILES…
 *
 * Texts: synthetic stories, and the given files cut at blank lines into passages of about 2,000 characters. Neither side's
 * loading of the vocabulary is measured. Python's is `encode_ordinary_batch`; ours packs, hashes and counts as in a build.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Rng } from "@mm/run";
import { packDocuments } from "../dataset/text-batch.js";
import { tokenizeBatches } from "../dataset/tokenize.js";
import { writeStory } from "../sources/stories/story.js";
import { gpt2Tokenizer } from "./gpt2.js";

const ROUNDS = 3;
const STORIES = 60_000;
const PASSAGE = 2000;
const threads = availableParallelism();

/** The vocabulary as the tiktoken package for JavaScript has it, so that Python's needs no network. */
const VOCABULARY = createRequire(import.meta.url).resolve("tiktoken/encoders/gpt2.json");

const PYTHON = `
import base64, json, sys, time, tiktoken
texts, vocabulary = (json.load(open(file)) for file in sys.argv[1:3])
ranks = {}
for line in vocabulary["bpe_ranks"].strip().split("\\n"):
    _, first, *pieces = line.split(" ")
    ranks.update((base64.b64decode(piece), int(first) + i) for i, piece in enumerate(pieces))
encoding = tiktoken.Encoding("gpt2", pat_str=vocabulary["pat_str"], mergeable_ranks=ranks,
                             special_tokens=vocabulary["special_tokens"])
encoding.encode_ordinary_batch(texts[:10], num_threads=${threads})
size = sum(len(text.encode()) for text in texts)
begin = time.perf_counter()
tokens = encoding.encode_ordinary_batch(texts, num_threads=${threads})
print(json.dumps({"speed": size / 1e6 / (time.perf_counter() - begin), "tokens": sum(map(len, tokens))}))
`;

interface Measured {
  /** megabytes per second */
  speed: number;
  tokens: number;
}

async function ours(texts: string[]): Promise<Measured> {
  let begin = 0;
  let [tokens, bytes, batches] = [0, 0, 0];
  const packed = packDocuments(texts.map((text) => ({ text })));
  for await (const batch of tokenizeBatches(packed as AsyncIterator<never, undefined>, gpt2Tokenizer(), threads)) {
    tokens += batch.tokens.length;
    // The clock starts when every worker has loaded the vocabulary and tokenized a batch.
    if (++batches === threads) begin = performance.now();
    else if (batches > threads) bytes += batch.bytes.length;
  }
  // Ours ends every text with a token.
  return { speed: bytes / 1e3 / (performance.now() - begin), tokens: tokens - texts.length };
}

function pythons(python: string, file: string): Measured {
  const { stdout, stderr } = spawnSync(python, ["-c", PYTHON, file, VOCABULARY], { encoding: "utf8" });
  if (!stdout) throw new Error(`${python} did not measure: ${stderr}`);
  return JSON.parse(stdout);
}

/** Passages of about `PASSAGE` characters, cut at blank lines. */
function passages(files: string[]): string[] {
  const found: string[] = [];
  for (const file of files) {
    let passage = "";
    for (const paragraph of readFileSync(file, "utf8").split(/(?<=\n\n)/)) {
      passage += paragraph;
      if (passage.length >= PASSAGE) {
        found.push(passage);
        passage = "";
      }
    }
    if (passage !== "") found.push(passage);
  }
  return found;
}

const [python, ...files] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "mm-tokens-"));
try {
  const corpora = {
    stories: Array.from({ length: STORIES }, (_, index) => writeStory(Rng.fromSeed(7).fork(index)).text),
    files: passages(files),
  };
  for (const [name, texts] of Object.entries(corpora)) {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify(texts));
    const megabytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
    for (let round = 0; round < ROUNDS; round++) {
      const mine = await ours(texts);
      const theirs = pythons(python!, file);
      if (mine.tokens !== theirs.tokens) throw new Error(`${mine.tokens} tokens are not tiktoken's ${theirs.tokens}`);
      const speed = (measured: Measured) => `${measured.speed.toFixed(1)} MB/s`;
      console.log(
        `${name} (${megabytes.toFixed(0)} MB, ${threads} threads): ours ${speed(mine)}, tiktoken ${speed(theirs)}, ratio ${(mine.speed / theirs.speed).toFixed(2)}`,
      );
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
