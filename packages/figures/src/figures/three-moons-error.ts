/**
 * Three moons: error of 25 generated steps against the length of the prompt, for one and for three heads, for a triple
 * of periods seen in training and for the held-out one. Vertical lines mark each moon's period and the joint one: one
 * head has to wait for the joint period, three heads only for the longest single one. Reads `generationError` with the
 * tags `heads`, `triple` and `prompt`, and `period` with `triple` and `moon` (1, 2, 3 or "joint"), all in steps.
 */
import type { MetricRow } from "@mm/run";
import { type Drawing, defineFigure } from "../figure.js";
import { groupBy } from "../statistics.js";
import { COLUMN_WIDTH, INK, logTicks, MUTED, STROKE_LEGEND } from "../style.js";
import type { Table } from "../table.js";
import { numberTag, textTag } from "../tags.js";
import { averageOverSeeds } from "./averages.js";

interface Row {
  kind: "error" | "period";
  triple: string;
  heads: number | null;
  /** Length of the prompt; of a period, its length. */
  steps: number;
  moon: string;
  error: number | null;
  deviation: number | null;
  runs: string;
}

export const threeMoonsError = defineFigure<Row>({
  name: "three-moons-error",
  title: "Three moons: error of generation by length of the prompt",
  needs: ["generationError"],
  whichCommand: "mm eval three-moons",
  select: (rows) => ({ columns: COLUMNS, rows: [...errors(rows), ...periods(rows)] }),
  draw,
});

const COLUMNS: Table<Row>["columns"] = {
  kind: "string",
  triple: "string",
  heads: "number",
  steps: "number",
  moon: "string",
  error: "number",
  deviation: "number",
  runs: "string",
};

function errors(rows: readonly MetricRow[]): Row[] {
  return averageOverSeeds(rows, ["generationError"], ["heads", "triple", "prompt"])
    .map(
      ({ first, value, deviation, runs }): Row => ({
        kind: "error",
        triple: textTag(first, "triple"),
        heads: numberTag(first, "heads"),
        steps: numberTag(first, "prompt")!,
        moon: "",
        error: value,
        deviation,
        runs,
      }),
    )
    .sort((a, b) => a.heads! - b.heads! || a.steps - b.steps);
}

function periods(rows: readonly MetricRow[]): Row[] {
  return averageOverSeeds(rows, ["period"], ["triple", "moon"]).map(({ first, value, runs }) => ({
    kind: "period",
    triple: textTag(first, "triple"),
    heads: null,
    steps: value,
    moon: textTag(first, "moon"),
    error: null,
    deviation: null,
    runs,
  }));
}

const HEADS = { domain: ["1 head", "3 heads"], range: ["#4a90dd", "#a8143a"] };
const FLOOR = 1e-4;

function draw(table: Table<Row>): Drawing {
  const panels = groupBy(table.rows, (row) => [row.triple]);
  const measured = table.rows.filter((row) => row.kind === "error");
  const longest = Math.max(...measured.map((row) => row.steps));
  const lowest = Math.max(FLOOR, Math.min(...measured.map((row) => row.error!)));
  const highest = Math.max(...measured.map((row) => row.error!));
  const x = {
    field: "steps",
    type: "quantitative",
    title: "length of the prompt",
    scale: { nice: false, domain: [0, longest] },
    axis: { tickCount: 5 },
  };
  return {
    resolve: { scale: { y: "shared" } },
    hconcat: panels.map((panel, index) => {
      const y = {
        field: "error",
        type: "quantitative",
        title: index === 0 ? "error of 25 generated steps" : null,
        scale: { type: "log", nice: false, domain: [lowest * 0.8, highest * 1.6] },
        axis: { format: "~g", values: logTicks(lowest * 0.8, highest * 1.6) },
      };
      const marks = panel.filter((row) => row.kind === "period" && row.steps <= longest);
      return {
        title: {
          text: panel[0]!.triple === "train" ? "periods seen in training" : `${panel[0]!.triple} periods`,
          subtitle: "lines: periods of moons 1, 2, 3, and their joint period",
          subtitlePadding: 2,
          offset: 20,
        },
        width: Math.round((COLUMN_WIDTH - 85) / panels.length),
        height: 185,
        layer: [
          {
            data: { values: marks },
            mark: { type: "rule", color: MUTED, strokeWidth: 0.9 },
            encoding: {
              x,
              strokeDash: { condition: { test: "datum.moon === 'joint'", value: [1, 0] }, value: [2, 2.5] },
            },
          },
          {
            data: { values: marks.map((row) => ({ ...row, text: row.moon })) },
            mark: { type: "text", fontSize: 9, color: INK },
            encoding: { x, y: { value: -7 }, text: { field: "text" } },
          },
          {
            data: {
              values: panel
                .filter((row) => row.kind === "error")
                .map((row) => ({
                  ...row,
                  error: Math.max(FLOOR, row.error!),
                  label: `${row.heads} ${row.heads === 1 ? "head" : "heads"}`,
                })),
            },
            mark: { type: "line", strokeWidth: 1.6, clip: true },
            encoding: {
              x,
              y,
              color: { field: "label", type: "nominal", scale: HEADS, title: null, legend: STROKE_LEGEND },
            },
          },
        ],
      };
    }),
  };
}
