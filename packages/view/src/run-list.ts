/** Runs as the page sees them: who they are, and their numbers as these come in. */
import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { listRuns, type MetricRow, type RunFolder, type RunStatus } from "@mm/run";

export interface RunCard {
  readonly name: string;
  readonly status: RunStatus;
  readonly kind: string;
  readonly dataset: string;
  /** Steps that it is to take. */
  readonly steps: number;
  readonly started: string;
  readonly backend: string;
}

/** New points of a run's curves, [step, value] by name such as "train loss". */
export interface NewPoints {
  /** Where to read on: the file and how far it was read. */
  readonly cursor: string;
  /** Whether what came before is void, because the run was rewound or replaced. */
  readonly restarted: boolean;
  readonly status: RunStatus;
  readonly curves: Readonly<Record<string, readonly (readonly [number, number])[]>>;
}

const SPLITS = ["train", "train-eval", "valid"];
const METRICS = ["loss", "learningRate", "gradNorm", "tokensPerSecond"];

/** Runs that were trained: those with steps to take. Newest first. */
export function runCards(root: string): RunCard[] {
  return listRuns(root)
    .map(cardOf)
    .filter((card) => card !== undefined)
    .sort((a, b) => (a.started < b.started ? 1 : -1));
}

function cardOf(run: RunFolder): RunCard | undefined {
  const { model, dataset, steps } = (run.config ?? {}) as {
    model?: { kind?: string };
    dataset?: unknown;
    steps?: number;
  };
  if (typeof steps !== "number" && !existsSync(join(run.path, "metrics.jsonl"))) return undefined;
  return {
    name: run.name,
    status: run.status(),
    kind: model?.kind ?? "",
    dataset: typeof dataset === "string" ? dataset : "",
    steps: steps ?? 0,
    started: run.provenance.date,
    backend: (run.provenance.backend as { name?: string } | undefined)?.name ?? "",
  };
}

/** The points appended to a run's `metrics.jsonl` since `cursor`. A line that is still being written waits. */
export function newPoints(run: RunFolder, cursor: string): NewPoints {
  const status = run.status();
  const path = join(run.path, "metrics.jsonl");
  if (!existsSync(path)) return { cursor: "", restarted: cursor !== "", status, curves: {} };
  const file = openSync(path, "r");
  try {
    const { ino, size } = fstatSync(file);
    const [known, offset] = cursor.split("-").map(Number);
    const same = known === ino && offset !== undefined && offset <= size;
    const start = same ? offset : 0;
    const bytes = Buffer.alloc(size - start);
    const read = readSync(file, bytes, 0, bytes.length, start);
    const end = bytes.subarray(0, read).lastIndexOf(NEWLINE) + 1;
    const curves = curvesOf(bytes.toString("utf8", 0, end));
    return { cursor: `${ino}-${start + end}`, restarted: !same && cursor !== "", status, curves };
  } finally {
    closeSync(file);
  }
}

const NEWLINE = 0x0a;

function curvesOf(lines: string): Record<string, [number, number][]> {
  const curves: Record<string, [number, number][]> = {};
  for (const line of lines.split("\n")) {
    if (line === "") continue;
    const { split, metric, step, value } = JSON.parse(line) as MetricRow;
    if (!SPLITS.includes(split) || !METRICS.includes(metric) || !Number.isFinite(value)) continue;
    const name = `${split} ${metric}`;
    curves[name] ??= [];
    curves[name].push([step, value]);
  }
  return curves;
}
