import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import { collectProvenance, parseConfig, Rng, RunFolder, readMetrics } from "@mm/run";
import { RecallConfig, RecallProtocol } from "./config.js";
import { recallBatch } from "./tasks.js";
import { trainRecall } from "./train-recall.js";

const rows = ({ tokens, targets, length }: ReturnType<typeof recallBatch>) =>
  Array.from({ length: tokens.length / length }, (_, row) => ({
    tokens: Array.from(tokens.subarray(row * length, (row + 1) * length)),
    targets: Array.from(targets.subarray(row * length, (row + 1) * length)),
  }));

describe("recall over a distance", () => {
  const protocol = RecallProtocol.parse({ task: "distance" });

  it.each([4, 96])("asks %i tokens after each pair for its value, and for nothing else", (distance) => {
    for (const { tokens, targets } of rows(recallBatch(protocol, distance, 20, Rng.fromSeed(1)))) {
      expect(tokens).toHaveLength(128);
      const queries = targets.flatMap((target, at) => (target === -1 ? [] : [at]));
      expect(queries.length).toBeGreaterThan(0);
      for (const query of queries) {
        const key = tokens[query]!;
        expect(key).toBeLessThan(64);
        expect(tokens[query - distance]).toBe(key);
        expect(tokens[query - distance + 1]).toBe(targets[query]);
        expect(targets[query]!).toBeGreaterThanOrEqual(64);
        expect(targets[query]!).toBeLessThan(128);
        expect(tokens.filter((token) => token === key)).toHaveLength(2);
      }
      // All else are fillers.
      expect(tokens.filter((token) => token >= 128)).toHaveLength(128 - 3 * queries.length);
    }
  });

  it("asks over all distances in training", () => {
    const seen = new Set<number>();
    for (const { tokens, targets } of rows(recallBatch(protocol, null, 40, Rng.fromSeed(2))))
      for (const [at, target] of targets.entries()) if (target !== -1) seen.add(at - tokens.indexOf(tokens[at]!));
    expect([...seen].sort((a, b) => a - b)).toEqual([...protocol.distances]);
  });
});

describe("recall among many pairs", () => {
  const protocol = RecallProtocol.parse({ task: "pairs" });

  it("gives pairs of distinct keys, then every key again with its value as target", () => {
    for (const { tokens, targets } of rows(recallBatch(protocol, 8, 20, Rng.fromSeed(1)))) {
      expect(tokens).toHaveLength(32);
      const stored = new Map(Array.from({ length: 8 }, (_, i) => [tokens[2 * i]!, tokens[2 * i + 1]!]));
      expect(stored.size).toBe(8);
      expect(targets.slice(0, 16)).toEqual(Array(16).fill(-1));
      const asked = Array.from({ length: 8 }, (_, i) => tokens[16 + 2 * i]!);
      expect([...asked].sort()).toEqual([...stored.keys()].sort());
      for (const [i, key] of asked.entries()) {
        expect(targets[16 + 2 * i]).toBe(stored.get(key));
        expect(targets[17 + 2 * i]).toBe(-1);
      }
    }
  });

  it("has sequences of each number of pairs in training, one number to a batch", () => {
    const lengths = Array.from(
      { length: 40 },
      (_, i) => recallBatch(protocol, null, 2, Rng.fromSeed(3).fork(i)).length,
    );
    expect([...new Set(lengths)].sort((a, b) => a - b)).toEqual([16, 32, 64, 128]);
  });
});

describe("a recall training", () => {
  const folder = mkdtempSync(join(tmpdir(), "recall-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  const configOf = (protocol: object) =>
    parseConfig(
      RecallConfig,
      {
        model: {
          kind: "memory-mosaic",
          vocabulary: 16,
          contextLength: 16,
          blocks: 1,
          heads: 2,
          width: 32,
          slots: 8,
          persistentDropout: 0,
          residualDropout: 0,
        },
        protocol: {
          task: "pairs",
          keys: 8,
          values: 7,
          fillers: 1,
          pairs: [2, 4],
          batch: 16,
          test: 32,
          valid: 32,
          ...protocol,
        },
      },
      { source: "test" },
    );

  it("learns to recall: better than guessing among the values that were shown", async () => {
    await selectBackend("wasm");
    const config = configOf({ steps: 120, learningRate: 1e-2 });
    const run = RunFolder.create(
      folder,
      "pairs",
      config,
      collectProvenance({ backend: { name: "wasm" }, seed: 0 }),
      {},
    );
    const { scores, summary } = await trainRecall(config, run);
    expect(summary.status).toBe("finished");
    expect(scores.map(({ point, queries }) => [point, queries])).toEqual([
      [2, 64],
      [4, 128],
    ]);
    for (const { accuracy, point } of scores) expect(accuracy).toBeGreaterThan(1 / point + 0.2);
    const losses = readMetrics(run.path).filter(({ metric, split }) => metric === "loss" && split === "valid");
    expect(losses.at(-1)!.value).toBeLessThan(losses[0]!.value);
    expect(losses[0]!.tags).toMatchObject({ task: "pairs", model: "memory-mosaic", seed: 0, steps: 120 });
  });

  it("refuses a model that cannot read the task, by name", () => {
    expect(() => configOf({ keys: 12 })).toThrow("model.vocabulary");
    expect(() => configOf({ pairs: [8] })).toThrow("model.contextLength");
    expect(() => configOf({ task: "distance", length: 16, distances: [15] })).toThrow("protocol.distances");
  });
});
