/** Where the page gets what it shows: from `mm view` over HTTP, or from the files beside it. */
import type { Inspector } from "../inspector.js";
import type { ExportManifest, SourceManifest } from "../manifest.js";
import type { NewPoints, RunCard } from "../run-list.js";
import type { ModelEntry } from "../viewer.js";
import { fetchJson, liveSource } from "./live-source.js";

export interface RunsSource {
  list(): Promise<readonly RunCard[]>;
  points(name: string, cursor: string): Promise<NewPoints>;
}

export interface Source {
  /** Runs that may be under way; none in an exported page. */
  readonly runs?: RunsSource;
  /** Where models run, in a few words. */
  readonly place: string;
  models(): Promise<readonly ModelEntry[]>;
  /** @param onProgress share of the work done, with what is being done */
  open(id: string, onProgress: (share: number, what: string) => void): Promise<Inspector>;
}

export async function findSource(): Promise<Source> {
  const manifest = (await fetchJson("source.json")) as SourceManifest;
  if (manifest.kind === "live") return liveSource();
  return exportedSource(manifest);
}

async function exportedSource(manifest: ExportManifest): Promise<Source> {
  const { exportedSource } = await import("./exported/exported-source.js");
  return exportedSource(manifest, new URLSearchParams(location.search).get("backend") ?? "auto");
}
