/**
 * Figure 7: training and validation loss over the steps, one panel per depth, Memory Mosaic against GPT-2. The
 * training loss is the one without dropout where a run measured it. Several seeds give their mean and full range.
 */
import type { MetricRow } from "@mm/run";
import { type Drawing, defineFigure } from "../figure.js";
import { publishedLosses, publishedTraining } from "../published/index.js";
import { longestRuns } from "../selection.js";
import { groupBy, mean, runsOf } from "../statistics.js";
import { COLUMN_WIDTH, COUNT_LABELS, HALO, MUTED, modelColours, modelStyle, PAPER, STROKE_LEGEND } from "../style.js";
import type { Table } from "../table.js";
import { isBenchmark, isVariation, numberTag, textTag } from "../tags.js";

interface Row {
  source: "measured" | "published";
  dataset: string;
  model: string;
  blocks: number;
  split: "train" | "valid";
  step: number;
  loss: number;
  lowest: number | null;
  highest: number | null;
  seeds: number | null;
  runs: string;
}

export const lossCurves = defineFigure<Row>({
  name: "loss-curves",
  paper: "Figure 7",
  title: "Training and validation loss by depth",
  needs: ["loss"],
  whichCommand: "mm train --dataset datasets/stories --recipe stories/mosaic",
  select: (rows) => ({ columns: COLUMNS, rows: [...measured(rows), ...publishedRows] }),
  draw,
});

const COLUMNS: Table<Row>["columns"] = {
  source: "string",
  dataset: "string",
  model: "string",
  blocks: "number",
  split: "string",
  step: "number",
  loss: "number",
  lowest: "number",
  highest: "number",
  seeds: "number",
  runs: "string",
};

const publishedRows: Row[] = publishedLosses.map(({ model, blocks, split, loss }) => ({
  source: "published",
  dataset: "babistories",
  model,
  blocks,
  split: split === "valid" ? "valid" : "train",
  step: publishedTraining.steps,
  loss,
  lowest: null,
  highest: null,
  seeds: null,
  runs: "",
}));

function measured(rows: readonly MetricRow[]): Row[] {
  const losses = rows.filter(
    (row) =>
      row.metric === "loss" &&
      ["train", "train-eval", "valid"].includes(row.split) &&
      numberTag(row, "blocks") !== null &&
      !isVariation(row) &&
      !isBenchmark(row),
  );
  const configurations = groupBy(losses, (row) => [textTag(row, "dataset"), textTag(row, "model"), row.tags["blocks"]]);
  return configurations.flatMap((group) => {
    const runs = groupBy(longestRuns(group), (row) => [row.run]);
    return averageOverSeeds(runs.flatMap(preferWithoutDropout));
  });
}

/** The training loss of a run is the one without dropout where it was measured. */
function preferWithoutDropout(rows: MetricRow[]): MetricRow[] {
  return rows.some((row) => row.split === "train-eval") ? rows.filter((row) => row.split !== "train") : rows;
}

function averageOverSeeds(rows: readonly MetricRow[]): Row[] {
  const points = groupBy(rows, (row) => [row.split === "valid" ? "valid" : "train", row.step]);
  return points
    .map((point): Row => {
      const values = point.map((row) => row.value);
      const first = point[0]!;
      return {
        source: "measured",
        dataset: textTag(first, "dataset"),
        model: textTag(first, "model"),
        blocks: numberTag(first, "blocks")!,
        split: first.split === "valid" ? "valid" : "train",
        step: first.step,
        loss: mean(values),
        lowest: Math.min(...values),
        highest: Math.max(...values),
        seeds: values.length,
        runs: runsOf(point),
      };
    })
    .sort((a, b) => a.split.localeCompare(b.split) || a.step - b.step);
}

const SPLITS = {
  domain: ["training", "validation"],
  range: [
    [2.5, 3],
    [1, 0],
  ],
};

function draw(table: Table<Row>): Drawing {
  const ours = table.rows.filter((row) => row.source === "measured");
  const depths = [...new Set(ours.map((row) => row.blocks))].sort((a, b) => a - b);
  const datasets = [...new Set(ours.map((row) => row.dataset))];
  // The published end points share the picture only with runs that went as far on the same data.
  const comparable = (row: Row) =>
    row.source === "measured" ||
    ours.some((other) => other.dataset === row.dataset && other.blocks === row.blocks && other.step >= row.step / 2);
  const values = table.rows.filter(comparable).map((row) => ({
    ...row,
    label: modelStyle(row.model).label,
    curve: row.split === "valid" ? "validation" : "training",
    depth: `${row.blocks} ${row.blocks === 1 ? "block" : "blocks"}`,
    // The uppermost published point of a panel carries the word.
    named: row.source === "published" && row.loss === highest(table.rows, row.blocks),
  }));
  const columns = Math.min(depths.length, 4);
  const longest = Math.max(...ours.map((row) => row.step));
  const panel = Math.round((COLUMN_WIDTH - 60 - 14 * (columns - 1)) / columns);
  const color = {
    field: "label",
    type: "nominal",
    scale: modelColours(ours.map((row) => row.model)),
    title: null,
    legend: STROKE_LEGEND,
  };
  const x = {
    field: "step",
    type: "quantitative",
    title: "training step",
    scale: { nice: false, domain: [0, longest] },
    axis: { labelExpr: COUNT_LABELS, tickCount: columns > 2 ? 3 : 5 },
  };
  return {
    data: { values },
    facet: {
      column: { field: "depth", type: "nominal", sort: depths.map((d) => `${d} ${d === 1 ? "block" : "blocks"}`) },
      ...(datasets.length > 1 ? { row: { field: "dataset", type: "nominal" as const } } : {}),
    },
    spec: {
      width: columns === 1 ? 300 : panel,
      height: columns === 1 ? 210 : 170,
      layer: [
        {
          transform: [{ filter: "datum.seeds > 1" }],
          mark: { type: "area", opacity: 0.18, clip: true },
          encoding: {
            x,
            y: { field: "lowest", type: "quantitative" },
            y2: { field: "highest" },
            color,
            detail: { field: "curve" },
          },
        },
        {
          transform: [{ filter: "datum.source === 'measured'" }],
          mark: { type: "line", clip: true },
          encoding: {
            x,
            y: {
              field: "loss",
              type: "quantitative",
              title: "loss (nats per token)",
              scale: { zero: false, domain: lossDomain(values, longest) },
            },
            color,
            strokeDash: { field: "curve", type: "nominal", scale: SPLITS, title: null, legend: STROKE_LEGEND },
          },
        },
        {
          transform: [{ filter: "datum.source === 'published'" }],
          mark: { type: "point", fill: PAPER, size: 34 },
          encoding: { x, y: { field: "loss", type: "quantitative" }, color },
        },
        ...[HALO, {}].map((halo) => ({
          transform: [{ filter: "datum.named" }],
          mark: {
            type: "text",
            text: "published",
            align: "right",
            dx: 4,
            dy: -9,
            fontSize: 8.5,
            color: MUTED,
            ...halo,
          },
          encoding: { x, y: { field: "loss", type: "quantitative" } },
        })),
      ],
    },
    resolve: { scale: { y: datasets.length > 1 ? "independent" : "shared" } },
  };
}

function highest(rows: readonly Row[], blocks: number): number {
  return Math.max(...rows.filter((row) => row.source === "published" && row.blocks === blocks).map((row) => row.loss));
}

/** The first twentieth of the training, a steep fall, may leave the picture: it would squeeze everything else. */
function lossDomain(rows: readonly Row[], longest: number): [number, number] {
  const later = rows.filter((row) => row.step >= longest / 20).map((row) => row.loss);
  const [low, high] = [Math.min(...later), Math.max(...later)];
  const margin = (high - low) * 0.06 || 0.05;
  return [low - margin, high + margin];
}
