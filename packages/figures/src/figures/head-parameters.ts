/**
 * What the heads of a Memory Mosaic learn, over training: forgetting rate λ of the leaky average of keys, bandwidth β
 * of the kernel (larger is sharper), and the share c of the present in the values (1 − c peeks at the next input).
 * Reads `forgettingRate`, `bandwidth`, `valueMixing` with the tags `block`, `head` and `memory`.
 */
import type { MetricRow } from "@mm/run";
import { type Drawing, defineFigure } from "../figure.js";
import { longestRuns } from "../selection.js";
import { blockColour, COUNT_LABELS, logTicks } from "../style.js";
import type { Table } from "../table.js";
import { isVariation, numberTag, textTag } from "../tags.js";

interface Row {
  metric: string;
  /** "contextual" or "persistent". */
  memory: string;
  block: number;
  head: number;
  step: number;
  value: number;
  runs: string;
}

const METRICS = [
  { metric: "forgettingRate", title: "forgetting rate λ", log: true },
  { metric: "bandwidth", title: "bandwidth β", log: true },
  { metric: "valueMixing", title: "value mixing c", log: false },
] as const;

export const headParameters = defineFigure<Row>({
  name: "head-parameters",
  title: "Parameters of each head over training",
  needs: METRICS.map(({ metric }) => metric),
  whichCommand: "mm eval attention --run results/runs/NAME",
  select: (rows) => ({ columns: COLUMNS, rows: select(rows) }),
  draw,
});

const COLUMNS: Table<Row>["columns"] = {
  metric: "string",
  memory: "string",
  block: "number",
  head: "number",
  step: "number",
  value: "number",
  runs: "string",
};

/** One run, the longest one (the first of several): heads of different seeds have nothing to do with each other. */
function select(rows: readonly MetricRow[]): Row[] {
  const found = rows.filter((row) => METRICS.some(({ metric }) => metric === row.metric) && !isVariation(row));
  if (found.length === 0) return [];
  const longest = longestRuns(found);
  return longest
    .filter((row) => row.run === longest[0]!.run)
    .map((row) => ({
      metric: row.metric,
      memory: textTag(row, "memory", "contextual"),
      block: numberTag(row, "block")!,
      head: numberTag(row, "head")!,
      step: row.step,
      value: row.value,
      runs: row.run,
    }));
}

function draw(table: Table<Row>): Drawing {
  const blocks = Math.max(...table.rows.map((row) => row.block)) + 1;
  const shown = METRICS.filter(({ metric }) => table.rows.some((row) => row.metric === metric));
  return {
    spacing: 26,
    resolve: { scale: { color: "shared", strokeDash: "shared" } },
    hconcat: shown.map(({ metric, title, log }) => ({
      title,
      width: 135,
      height: 160,
      data: {
        values: table.rows.filter((row) => row.metric === metric).map((row) => ({ ...row, block: row.block + 1 })),
      },
      mark: { type: "line", strokeWidth: 0.9, opacity: 0.8 },
      encoding: {
        x: {
          field: "step",
          type: "quantitative",
          title: "training step",
          scale: { nice: false },
          axis: { tickCount: 3, labelExpr: COUNT_LABELS },
        },
        y: {
          field: "value",
          type: "quantitative",
          title: null,
          scale: log ? { type: "log", nice: false } : { domain: [-0.02, 1.02], nice: false },
          axis: { format: "~g", ...(log ? { values: logTicks(...rangeOf(table.rows, metric)) } : { tickCount: 5 }) },
        },
        detail: [{ field: "head" }, { field: "block" }],
        strokeDash: {
          field: "memory",
          type: "nominal",
          title: null,
          scale: {
            domain: ["contextual", "persistent"],
            range: [
              [1, 0],
              [2.5, 2.5],
            ],
          },
        },
        color: blockColour(blocks),
      },
    })),
  };
}

function rangeOf(rows: readonly Row[], metric: string): [number, number] {
  const values = rows.filter((row) => row.metric === metric).map((row) => row.value);
  return [Math.min(...values), Math.max(...values)];
}
