import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Rng } from "@mm/run";
import { consecutiveBatch, consecutiveWindows, randomBatch } from "./batches.js";
import { openDataset } from "./dataset.js";
import type { DatasetInfo, ShardInfo } from "./info.js";
import { ShardWriter } from "./shard-writer.js";
import { TokenStream } from "./token-stream.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mm-dataset-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A dataset whose train tokens are 0, 1, 2, … in shards of `shardTokens`, and whose valid tokens are 7, 7, …. */
function writeCounting(tokens: number, shardTokens: number): DatasetInfo {
  const write = (split: "train" | "valid", ids: Uint16Array) => {
    const writer = new ShardWriter(folder, split, shardTokens);
    // Uneven pieces, so that pieces and shards do not line up.
    for (let at = 0; at < ids.length; at += 37) writer.write(ids.subarray(at, at + 37));
    return writer.finish();
  };
  const part = (shards: ShardInfo[]) => ({
    documents: 1,
    tokens: shards.reduce((sum, shard) => sum + shard.tokens, 0),
    characters: 1,
    bytes: 1,
    meanTokens: 1,
    meanCharacters: 1,
    longest: 1,
    shards,
  });
  const info: DatasetInfo = {
    format: "mm-dataset",
    version: 1,
    name: "counting",
    synthetic: true,
    description: "0, 1, 2, …",
    tokenizer: { name: "gpt2", vocabulary: 50257, endOfText: 50256 },
    source: { kind: "test", settings: {}, files: [] },
    split: { rule: "none", valid: 0, seed: 0 },
    splits: {
      train: part(
        write(
          "train",
          Uint16Array.from({ length: tokens }, (_, index) => index),
        ),
      ),
      valid: part(write("valid", new Uint16Array(100).fill(7))),
    },
    digest: "sha256:0",
    stories: null,
    verified: null,
  };
  writeFileSync(join(folder, "dataset.json"), JSON.stringify(info));
  return info;
}

describe("a dataset folder", () => {
  it("holds tokens as little-endian uint16 in shards of the asked size, with their checksums", () => {
    const { shards } = writeCounting(1000, 400).splits.train;
    expect(shards.map(({ file, tokens }) => [file, tokens])).toEqual([
      ["train-000.bin", 400],
      ["train-001.bin", 400],
      ["train-002.bin", 200],
    ]);
    const bytes = readFileSync(join(folder, "train-001.bin"));
    expect([...bytes.subarray(0, 4)]).toEqual([400 & 255, 400 >> 8, 401 & 255, 401 >> 8]);
    expect(shards[1]!.sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
  });

  it("reads across the borders of shards", () => {
    writeCounting(1000, 7);
    const stream = openDataset(folder).tokens("train");
    expect(stream.length).toBe(1000);
    expect([...stream.slice(5, 23)]).toEqual(Array.from({ length: 18 }, (_, index) => index + 5));
    expect([0, 6, 7, 999].map((index) => stream.at(index))).toEqual([0, 6, 7, 999]);
    expect([...stream.pieces(300)].map((piece) => piece.length)).toEqual([300, 300, 300, 100]);
    expect(() => stream.at(1000)).toThrow(RangeError);
    expect(() => stream.slice(990, 1001)).toThrow(RangeError);
  });

  it("is read piece by piece where its shards are too large to keep", () => {
    writeCounting(50_000, 30_000);
    const shards = ["train-000.bin", "train-001.bin"].map((file, index) => ({
      path: join(folder, file),
      tokens: [30_000, 20_000][index]!,
    }));
    const stream = new TokenStream(shards, 0);
    expect([...stream.slice(29_995, 30_005)]).toEqual(Array.from({ length: 10 }, (_, index) => 29_995 + index));
    const places = [0, 16_383, 16_384, 29_999, 30_000, 49_999, 5];
    expect(places.map((place) => stream.at(place))).toEqual(places);
    stream.close();
    expect(stream.at(40_000)).toBe(40_000);
    truncateSync(join(folder, "train-000.bin"), 100);
    expect(() => stream.slice(100, 200)).toThrow(/Expected 30000 tokens in .* but the file ends early/);
  });

  it("is refused when it is missing, unfinished, damaged or cut short", () => {
    expect(() => openDataset(join(folder, "nowhere"))).toThrow(/found nothing/);
    expect(() => openDataset(folder)).toThrow(/without dataset.json/);
    writeFileSync(join(folder, "dataset.json"), "{ half");
    expect(() => openDataset(folder)).toThrow(/Expected JSON/);
    writeFileSync(join(folder, "dataset.json"), JSON.stringify({ format: "other" }));
    expect(() => openDataset(folder)).toThrow(/description of a dataset/);
    writeCounting(1000, 400);
    truncateSync(join(folder, "train-001.bin"), 798);
    expect(() => openDataset(folder)).toThrow(/Expected 400 tokens \(800 bytes\).*found 798 bytes/);
  });
});

describe("randomBatch", () => {
  it("gives windows of consecutive tokens whose targets are one position later", () => {
    writeCounting(1000, 300);
    const stream = openDataset(folder).tokens("train");
    const { tokens, targets } = randomBatch(stream, { batch: 8, contextLength: 16 }, Rng.fromSeed(1));
    for (let row = 0; row < 8; row++) {
      for (let at = 0; at < 16; at++) {
        expect(tokens[row * 16 + at]).toBe(tokens[row * 16]! + at);
        expect(targets[row * 16 + at]).toBe(tokens[row * 16]! + at + 1);
      }
    }
  });

  it("starts with equal chance anywhere in [0, N − T − 2)", () => {
    writeCounting(40, 300);
    const stream = openDataset(folder).tokens("train");
    const counts = new Array<number>(40).fill(0);
    const { tokens } = randomBatch(stream, { batch: 28_000, contextLength: 10 }, Rng.fromSeed(2));
    for (let row = 0; row < 28_000; row++) counts[tokens[row * 10]!]!++;
    // 28 possible starts, 1000 expected each: standard deviation 31.
    expect(counts.slice(28).every((count) => count === 0)).toBe(true);
    for (const count of counts.slice(0, 28)) expect(Math.abs(count - 1000)).toBeLessThan(160);
  });

  it("depends on the stream of randomness alone", () => {
    writeCounting(1000, 300);
    const stream = openDataset(folder).tokens("train");
    const draw = (seed: number) => randomBatch(stream, { batch: 4, contextLength: 8 }, Rng.fromSeed(seed)).tokens;
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it("says so when the split is too short for one window", () => {
    writeCounting(1000, 300);
    const stream = openDataset(folder).tokens("valid");
    expect(() => randomBatch(stream, { batch: 1, contextLength: 98 }, Rng.fromSeed(1))).toThrow(/at least 101 tokens/);
    expect(() => randomBatch(stream, { batch: 1, contextLength: 97 }, Rng.fromSeed(1))).not.toThrow();
  });
});

describe("consecutiveBatch", () => {
  it("covers the split once, without gap or overlap", () => {
    writeCounting(101, 30);
    const stream = openDataset(folder).tokens("train");
    expect(consecutiveWindows(stream, 25)).toBe(4);
    const { tokens, targets } = consecutiveBatch(stream, { batch: 4, contextLength: 25 }, 0);
    expect([...tokens]).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect([...targets]).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  });
});
