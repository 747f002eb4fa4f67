/**
 * Everything measured that figures may show: the metric rows of all runs and of their evaluations, and the statistics
 * of the datasets as rows of their own. What a row's tags leave open is filled in from its run's configuration.
 */
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { listRuns, type MetricRow, metricFolders, type RunFolder, readJson, readMetrics, type TagValue } from "@mm/run";
import type { RunFacts } from "./figure.js";

export interface Results {
  readonly rows: readonly MetricRow[];
  readonly runs: ReadonlyMap<string, RunFacts>;
}

/** Reads `runs/` of a results folder, `archive/` for runs that are not there, and the `dataset.json` files of a folder of datasets when one is given. */
export function readResults(folders: { resultsFolder: string; datasetsFolder?: string | undefined }): Results {
  const rows: MetricRow[] = [];
  const runs = new Map<string, RunFacts>();
  for (const run of archivedAndPresent(folders.resultsFolder)) {
    const { commit, dirty, command } = run.provenance ?? {};
    runs.set(run.name, {
      name: run.name,
      status: run.status(),
      commit: commit ?? "",
      dirty: dirty ?? false,
      command: command ?? "",
    });
    const known = tagsOfConfig(run);
    for (const folder of metricFolders(run.path)) {
      for (const row of readMetrics(folder)) {
        // A diverged run stores NaN or infinity, which no axis has a place for.
        if (Number.isFinite(row.value))
          rows.push({ ...row, run: run.name, tags: { ...known, ...run.provenance?.tags, ...row.tags } });
      }
    }
  }
  if (folders.datasetsFolder !== undefined) rows.push(...datasetRows(folders.datasetsFolder));
  return { rows, runs };
}

/** Each run once; where it is both present and archived, as it is present. */
function archivedAndPresent(folder: string): Iterable<RunFolder> {
  const found = ["archive", "runs"].flatMap((part) => listRuns(join(folder, part)));
  return new Map(found.map((run) => [run.name, run])).values();
}

/** The common tags as far as the configuration tells them. */
function tagsOfConfig(run: RunFolder): Record<string, TagValue> {
  const config = asRecord(run.config);
  const model = asRecord(config["model"]);
  const dataset = config["dataset"] ?? run.provenance?.dataset?.path;
  const tags: Record<string, unknown> = {
    model: model["kind"] ?? config["model"],
    blocks: model["blocks"],
    seed: config["seed"] ?? run.provenance?.seed,
    dataset: typeof dataset === "string" ? basename(dataset) : asRecord(dataset)["name"],
  };
  return Object.fromEntries(Object.entries(tags).filter((entry): entry is [string, TagValue] => isTagValue(entry[1])));
}

/** Each split's statistics as rows of a run named `dataset:NAME`. */
function datasetRows(folder: string): MetricRow[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .filter((name) => existsSync(join(folder, name, "dataset.json")))
    .flatMap((name) => {
      const info = asRecord(readJson(join(folder, name, "dataset.json"), "Build the dataset again."));
      const tags = { dataset: name, synthetic: info["synthetic"] === true };
      return Object.entries(asRecord(info["splits"])).flatMap(([split, statistics]) =>
        Object.entries(asRecord(statistics))
          .filter((entry): entry is [string, number] => typeof entry[1] === "number")
          .map(([metric, value]) => ({ run: `dataset:${name}`, step: 0, split, metric, value, tags })),
      );
    });
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function isTagValue(value: unknown): value is TagValue {
  return ["string", "number", "boolean"].includes(typeof value);
}
