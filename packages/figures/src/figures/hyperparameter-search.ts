/**
 * Table 2: the final validation loss of every configuration of a sweep, one panel per hyper-parameter that varies.
 * Each dot is a configuration; the line joins the best one for each value. Sweeps, and models in one, stand below each
 * other: their losses have nothing to do with each other. The grid of the paper is unpublished.
 *
 * Reads runs with the tag `sweep` (its recipe) and one tag `set.PATH` per varied field, e.g. `set.train.learningRate`.
 */
import type { MetricRow } from "@mm/run";
import { type Drawing, defineFigure } from "../figure.js";
import { atLastStep } from "../selection.js";
import { groupBy, mean, runsOf } from "../statistics.js";
import { INK, MUTED, modelStyle } from "../style.js";
import type { Table } from "../table.js";
import { textTag } from "../tags.js";

interface Row {
  sweep: string;
  model: string;
  /** The varied fields as JSON, e.g. {"train.learningRate":0.005}. */
  settings: string;
  step: number;
  loss: number;
  seeds: number;
  runs: string;
}

export const hyperparameterSearch = defineFigure<Row>({
  name: "hyperparameter-search",
  paper: "Table 2",
  title: "Hyper-parameter search: final validation loss",
  needs: ["loss"],
  whichCommand: "mm sweep sweeps/gpt2 --dataset datasets/stories",
  select: (rows) => ({ columns: COLUMNS, rows: select(rows) }),
  draw,
});

const COLUMNS: Table<Row>["columns"] = {
  sweep: "string",
  model: "string",
  settings: "string",
  step: "number",
  loss: "number",
  seeds: "number",
  runs: "string",
};

const PREFIX = "set.";

function select(rows: readonly MetricRow[]): Row[] {
  const losses = rows.filter(
    (row) => row.metric === "loss" && row.split === "valid" && row.tags["sweep"] !== undefined,
  );
  const found = groupBy(atLastStep(losses), (row) => [textTag(row, "sweep"), textTag(row, "model"), settingsOf(row)])
    .map((group) => ({
      sweep: textTag(group[0]!, "sweep"),
      model: textTag(group[0]!, "model"),
      settings: settingsOf(group[0]!),
      step: Math.max(...group.map((row) => row.step)),
      loss: mean(group.map((row) => row.value)),
      seeds: group.length,
      runs: runsOf(group),
    }))
    .sort((a, b) => a.loss - b.loss);
  // A sweep over seeds alone has nothing to show here.
  return found.filter(({ sweep }) => found.some((row) => row.sweep === sweep && row.settings !== "{}"));
}

function settingsOf(row: MetricRow): string {
  const entries = Object.entries(row.tags).filter(([tag]) => tag.startsWith(PREFIX));
  return JSON.stringify(Object.fromEntries(entries.map(([tag, value]) => [tag.slice(PREFIX.length), value]).sort()));
}

function draw(table: Table<Row>): Drawing {
  const searches = groupBy(table.rows, (row) => [row.sweep, row.model]);
  if (searches.length === 1) return drawSearch(searches[0]!);
  return {
    vconcat: searches.map((rows) => ({
      title: `${rows[0]!.sweep}: ${modelStyle(rows[0]!.model).label}`,
      ...drawSearch(rows),
    })),
  };
}

/** What a configuration that leaves a field alone has there. */
const DEFAULT = "–";

/** One sweep of one model, best first. */
function drawSearch(rows: readonly Row[]): Drawing {
  const settings = rows.map((row) => JSON.parse(row.settings) as Record<string, unknown>);
  const at = (index: number, field: string) => settings[index]![field] ?? DEFAULT;
  const all = [...new Set(settings.flatMap(Object.keys))];
  const varied = all.filter((field) => new Set(rows.map((_, index) => at(index, field))).size > 1);
  const fields = varied.length > 0 ? varied : all;
  const colour = modelStyle(rows[0]!.model).colour;
  const [best, worst] = [rows[0]!.loss, rows.at(-1)!.loss];
  const margin = (worst - best) * 0.14 || 0.01;
  const y = {
    field: "loss",
    type: "quantitative",
    title: "validation loss",
    scale: { domain: [best - margin, worst + margin / 2], nice: false },
  };
  return {
    columns: 3,
    resolve: { scale: { y: "shared" } },
    concat: fields.map((field, index) => {
      const x = { field: "value", type: "ordinal", title: spellOut(field), axis: { labelAngle: 0 } };
      return {
        width: 145,
        height: 150,
        data: {
          values: rows.map(({ loss }, index) => ({ loss, field, value: at(index, field), best: index === 0 })),
        },
        layer: [
          {
            mark: { type: "line", color: MUTED, strokeWidth: 1 },
            encoding: { x, y: { ...y, title: index % 3 === 0 ? y.title : null, aggregate: "min" } },
          },
          { mark: { type: "point", filled: true, color: colour, size: 28, opacity: 0.75 }, encoding: { x, y } },
          {
            transform: [{ filter: "datum.best" }],
            mark: { type: "point", fill: colour, stroke: INK, size: 64, strokeWidth: 1.5 },
            encoding: { x, y },
          },
          {
            transform: [{ filter: "datum.best" }],
            mark: { type: "text", text: "best", dy: 12, fontSize: 9 },
            encoding: { x, y },
          },
        ],
      };
    }),
  };
}

/** `train.learningRate` → `learning rate`. */
function spellOut(field: string): string {
  const name = field.split(".").at(-1)!;
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
