/** A finished run as text, without its checkpoints: so its numbers travel where folders are not shared. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { exportMetrics, readMetrics, writeFileAtomic } from "@mm/run";

const ROWS = "metrics.jsonl";
/** The last one makes the folder a run. */
const FACTS = ["provenance.json", "status.json", "config.json"];

export function packRun(path: string): string {
  const evaluations = existsSync(join(path, "evals")) ? readdirSync(join(path, "evals")) : [];
  const files = [...evaluations.map((name) => join("evals", name, ROWS)), ROWS, ...FACTS];
  const texts = files
    .filter((file) => existsSync(join(path, file)))
    .map((file) => [file, readFileSync(join(path, file), "utf8")]);
  return gzipSync(JSON.stringify(texts)).toString("base64");
}

/** Makes the folder of a run, or replaces the files of an unfinished one. */
export function unpackRun(packed: string, path: string): void {
  const texts = JSON.parse(gunzipSync(Buffer.from(packed, "base64")).toString()) as [file: string, text: string][];
  for (const [file, text] of texts) {
    const target = join(path, file);
    writeFileAtomic(target, text);
    if (file.endsWith(ROWS)) exportMetrics(dirname(target), readMetrics(dirname(target)));
  }
}
