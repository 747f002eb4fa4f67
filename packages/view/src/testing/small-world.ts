/** A folder with a run that grows, and small random models of an alphabet: everything a viewer needs. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createModel, type LanguageModel, ModelConfig } from "@mm/models";
import { type MetricRow, Rng, RunFolder } from "@mm/run";
import { LocalInspector } from "../local-inspector.js";
import { symbolTokenizer } from "../page/exported/symbol-tokenizer.js";
import type { ModelEntry } from "../viewer.js";

export const ALPHABET = "abcdefghijk";
const TOKENIZER = { name: "symbols", vocabulary: ALPHABET.length, endOfText: null, alphabet: ALPHABET };
const SIZES = { vocabulary: ALPHABET.length, contextLength: 32, blocks: 2, heads: 2, width: 16 };

export function smallModel(kind: "memory-mosaic" | "gpt2"): LanguageModel {
  const config = ModelConfig.parse({ kind, ...SIZES, ...(kind === "memory-mosaic" ? { slots: 12 } : {}) });
  const model = createModel(config, Rng.fromSeed(3).fork(kind));
  // Random keys alone would make all memories answer alike.
  for (const [name, variable] of Object.entries(model.variables()))
    if (name.endsWith("kernel_beta")) variable.assign(variable.mul(1.5));
  return model;
}

/** Six texts in which slots are looked for. */
export const sample = Array.from({ length: 6 }, (_, text) => {
  const rng = Rng.fromSeed(8).fork(text);
  return Array.from({ length: 20 }, () => rng.integer(0, ALPHABET.length));
});

export function smallInspector(kind: "memory-mosaic" | "gpt2", id = kind as string): LocalInspector {
  const tokenizer = symbolTokenizer(TOKENIZER, ALPHABET);
  return new LocalInspector({ id, name: `small ${kind}`, model: smallModel(kind), tokenizer, sample });
}

/** Both kinds of model, as a viewer offers them. */
export function smallModels() {
  const entries: ModelEntry[] = (["memory-mosaic", "gpt2"] as const).map((kind) => ({ id: kind, name: kind, kind }));
  const inspectors = new Map(entries.map(({ id, kind }) => [id, smallInspector(kind as "gpt2", id)]));
  return { models: () => entries, open: async (id: string) => inspectors.get(id)! };
}

export function startRun(root: string, name: string): RunFolder {
  const config = { model: { kind: "memory-mosaic" }, dataset: "datasets/letters", steps: 100, seed: 1 };
  const provenance = { date: "2026-01-01T00:00:00.000Z", backend: { name: "wasm" } };
  return RunFolder.create(root, name, config, provenance as unknown as RunFolder["provenance"]);
}

/** One row of a run's numbers. */
export function row(run: RunFolder, step: number, metric: string, value: number, split = "train"): MetricRow {
  return { run: run.name, step, split, metric, value, tags: {} };
}

export async function inTemporaryFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "mm-view-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
