/** For tests: a dataset small enough for the plain JavaScript backend, and a model that learns something from it. */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Dataset, openDataset } from "@mm/data";
import { collectProvenance, Rng, RunFolder } from "@mm/run";
import type { input } from "zod";
import { temporaryFolder } from "../../../run/src/testing/temporary-folder.js";
import { TrainConfig } from "../config.js";

export const VOCABULARY = 11;

/** A dataset folder of random walks on a ring of 11 tokens: the next token is one up or two down. */
export function tinyDataset({ train = 600, valid = 200, seed = 1 } = {}): Dataset {
  const folder = temporaryFolder();
  const rng = Rng.fromSeed(seed);
  const split = (name: string, tokens: number) => {
    let token = 0;
    const walk = Uint16Array.from({ length: tokens }, () => {
      token = (token + rng.pick([1, VOCABULARY - 2])) % VOCABULARY;
      return token;
    });
    const file = `${name}-000.bin`;
    writeFileSync(join(folder, file), walk);
    const shard = { file, tokens, sha256: createHash("sha256").update(walk).digest("hex") };
    return {
      documents: 1,
      tokens,
      characters: tokens,
      bytes: tokens,
      meanTokens: tokens,
      meanCharacters: tokens,
      longest: tokens,
      shards: [shard],
    };
  };
  const splits = { train: split("train", train), valid: split("valid", valid) };
  const info = {
    format: "mm-dataset",
    version: 1,
    name: "tiny",
    synthetic: true,
    description: "random walks on a ring",
    tokenizer: { name: "symbols", vocabulary: VOCABULARY, endOfText: null },
    source: { kind: "test", settings: {}, files: [] },
    split: { rule: "none", valid: 0, seed: 0 },
    splits,
    digest: `${splits.train.shards[0]!.sha256}`,
    stories: null,
    verified: null,
  };
  writeFileSync(join(folder, "dataset.json"), JSON.stringify(info));
  return openDataset(folder);
}

export const tinyModel = {
  kind: "memory-mosaic",
  vocabulary: VOCABULARY,
  contextLength: 8,
  blocks: 1,
  heads: 2,
  width: 8,
  slots: 6,
} as const;

/** Ten steps of four windows of eight tokens, an evaluation and a checkpoint every five. */
export function tinyConfig(dataset: { folder: string }, changes: Partial<input<typeof TrainConfig>> = {}): TrainConfig {
  return TrainConfig.parse({
    dataset: dataset.folder,
    model: tinyModel,
    steps: 10,
    batch: 4,
    accumulation: 1,
    schedule: { kind: "cosine", learningRate: 0.02, warmup: 2 },
    evaluation: { every: 5, windows: 6 },
    checkpoints: { every: 5 },
    logEvery: 1,
    ...changes,
  });
}

export function newRun(config: TrainConfig, dataset: Dataset, name = "run"): RunFolder {
  const provenance = collectProvenance({
    backend: "cpu",
    seed: config.seed,
    dataset: { path: dataset.folder, digest: dataset.digest },
  });
  return RunFolder.create(temporaryFolder(), name, config, provenance);
}
