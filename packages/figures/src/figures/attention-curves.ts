/**
 * How the last position of a window spreads its attention over the earlier ones: one thin curve per head, coloured by
 * block, and the mean over all heads; one panel per model (paper: the figures on attention patterns). Reads
 * `attentionOfLastPosition` with the tags `block`, `head` and `position`, averaged over windows by the evaluation.
 */
import type { MetricRow } from "@mm/run";
import { type Drawing, defineFigure } from "../figure.js";
import { groupBy, mean } from "../statistics.js";
import { blockColour, COLUMN_WIDTH, INK, modelOrder, modelStyle } from "../style.js";
import type { Table } from "../table.js";
import { numberTag, textTag } from "../tags.js";
import { averageOverSeeds } from "./averages.js";

interface Row {
  model: string;
  block: number;
  head: number;
  position: number;
  attention: number;
  runs: string;
}

export const attentionCurves = defineFigure<Row>({
  name: "attention-curves",
  paper: "Figure 10",
  title: "Mean attention of the last position over the window",
  needs: ["attentionOfLastPosition"],
  whichCommand: "mm eval attention --run results/runs/NAME",
  select: (rows) => ({ columns: COLUMNS, rows: select(rows) }),
  draw,
});

const COLUMNS: Table<Row>["columns"] = {
  model: "string",
  block: "number",
  head: "number",
  position: "number",
  attention: "number",
  runs: "string",
};

function select(rows: readonly MetricRow[]): Row[] {
  const averages = averageOverSeeds(rows, ["attentionOfLastPosition"], ["model", "block", "head", "position"]);
  return averages.map(({ first, value, runs }) => ({
    model: textTag(first, "model"),
    block: numberTag(first, "block")!,
    head: numberTag(first, "head")!,
    position: numberTag(first, "position")!,
    attention: value,
    runs,
  }));
}

/** Attention below this is drawn at it: a logarithmic axis has no zero. */
const FLOOR = 1e-5;

function draw(table: Table<Row>): Drawing {
  const models = modelOrder(table.rows.map((row) => row.model));
  const x = { field: "position", type: "quantitative", title: "position in the window", scale: { nice: false } };
  const y = {
    field: "attention",
    type: "quantitative",
    title: "attention",
    scale: { type: "log", nice: false },
    axis: { values: [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1], format: "~g" },
  };
  const width = Math.round((COLUMN_WIDTH - 110) / Math.min(models.length, 2));
  const blocks = Math.max(...table.rows.map((row) => row.block)) + 1;
  return {
    columns: 2,
    resolve: { scale: { y: "shared", color: "shared" } },
    concat: models.map((model, index) => {
      const curves = table.rows.filter((row) => row.model === model);
      const means = groupBy(curves, (row) => [row.position]).map((group) => ({
        position: group[0]!.position,
        attention: Math.max(FLOOR, mean(group.map((row) => row.attention))),
      }));
      return {
        title: modelStyle(model).label,
        width: models.length === 1 ? 320 : width,
        height: 180,
        layer: [
          {
            data: {
              values: curves.map((row) => ({
                ...row,
                block: row.block + 1,
                attention: Math.max(FLOOR, row.attention),
              })),
            },
            mark: { type: "line", strokeWidth: 0.6, opacity: 0.6 },
            encoding: {
              x,
              y: { ...y, title: index % 2 === 0 ? y.title : null },
              detail: [{ field: "head" }, { field: "block" }],
              color: blockColour(blocks),
            },
          },
          {
            data: { values: means },
            mark: { type: "line", color: INK, strokeWidth: 1.6 },
            encoding: { x, y },
          },
          {
            data: { values: means.slice(-1) },
            mark: { type: "text", text: "mean of all heads", align: "right", dx: -18, dy: -6, fontSize: 9 },
            encoding: { x, y },
          },
        ],
      };
    }),
  };
}
