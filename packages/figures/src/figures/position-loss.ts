/**
 * Figure 8: loss by position in the window, for the validation set and, where it was evaluated, for text from another
 * distribution. Positions are counted from 1 on a logarithmic axis; neighbours are averaged in bins of equal width on
 * that axis, so that the first positions stay single and the last do not flicker. Bands are 95 % confidence intervals
 * of the mean over windows, or over seeds where there are several.
 */
import type { MetricRow } from "@mm/run";
import { type Drawing, defineFigure } from "../figure.js";
import { atLastStep, longestRuns } from "../selection.js";
import { groupBy, mean, runsOf, standardDeviation } from "../statistics.js";
import { COLUMN_WIDTH, modelColours, modelOrder, modelStyle, STROKE_LEGEND } from "../style.js";
import type { Table } from "../table.js";
import { isVariation, numberTag, textTag } from "../tags.js";

interface Row {
  dataset: string;
  split: string;
  /** The dataset is not the one that the model was trained on. */
  outOfDistribution: boolean;
  model: string;
  blocks: number | null;
  /** Geometric centre of the bin, counted from 1. */
  position: number;
  firstPosition: number;
  lastPosition: number;
  loss: number;
  /** Half-width of the 95 % confidence interval. */
  confidence: number | null;
  seeds: number;
  runs: string;
}

export const positionLoss = defineFigure<Row>({
  name: "position-loss",
  paper: "Figure 8",
  title: "Loss by position in the window",
  needs: ["lossByPosition"],
  whichCommand: "mm train --dataset datasets/stories --recipe stories/mosaic",
  select: (rows) => ({ columns: COLUMNS, rows: select(rows) }),
  draw,
});

const COLUMNS: Table<Row>["columns"] = {
  dataset: "string",
  split: "string",
  outOfDistribution: "boolean",
  model: "string",
  blocks: "number",
  position: "number",
  firstPosition: "number",
  lastPosition: "number",
  loss: "number",
  confidence: "number",
  seeds: "number",
  runs: "string",
};

const NORMAL_95 = 1.96;
/** Bins per factor of ten: 24 keeps the first nine positions single. */
const BINS_PER_DECADE = 24;

function select(rows: readonly MetricRow[]): Row[] {
  const losses = rows.filter((row) => row.metric === "lossByPosition" && !isVariation(row));
  const errors = new Map(
    rows.filter((row) => row.metric === "lossByPositionStandardError").map((row) => [placeOf(row), row.value]),
  );
  const curves = groupBy(losses, (row) => [
    textTag(row, "dataset"),
    row.split,
    textTag(row, "model"),
    row.tags["blocks"] ?? null,
  ]);
  return curves.flatMap((curve) => {
    const bins = groupBy(atLastStep(longestRuns(curve)), (row) => [binOf(numberTag(row, "position")! + 1)]);
    return bins.map((bin) => averageBin(bin, errors)).sort((a, b) => a.position - b.position);
  });
}

function placeOf(row: MetricRow): string {
  return [row.run, row.step, row.split, textTag(row, "dataset"), row.tags["position"]].join("\n");
}

function binOf(position: number): number {
  return Math.floor(Math.log10(position) * BINS_PER_DECADE + 1e-9);
}

function averageBin(bin: readonly MetricRow[], errors: ReadonlyMap<string, number>): Row {
  const first = bin[0]!;
  const positions = bin.map((row) => numberTag(row, "position")! + 1);
  const [firstPosition, lastPosition] = [Math.min(...positions), Math.max(...positions)];
  const perRun = groupBy(bin, (row) => [row.run]).map((group) => mean(group.map((row) => row.value)));
  return {
    dataset: textTag(first, "dataset"),
    split: first.split,
    outOfDistribution: first.tags["outOfDistribution"] === true,
    model: textTag(first, "model"),
    blocks: numberTag(first, "blocks"),
    position: Math.sqrt(firstPosition * lastPosition),
    firstPosition,
    lastPosition,
    loss: mean(bin.map((row) => row.value)),
    confidence: confidenceOver(perRun) ?? confidenceWithin(bin, errors),
    seeds: perRun.length,
    runs: runsOf(bin),
  };
}

function confidenceOver(runs: readonly number[]): number | null {
  const deviation = standardDeviation(runs);
  return deviation === null ? null : (NORMAL_95 * deviation) / Math.sqrt(runs.length);
}

/** Neighbouring positions share their windows, so their errors are taken as equal, not as averaging out. */
function confidenceWithin(bin: readonly MetricRow[], errors: ReadonlyMap<string, number>): number | null {
  const known = bin.map((row) => errors.get(placeOf(row))).filter((error) => error !== undefined);
  return known.length === bin.length ? NORMAL_95 * mean(known) : null;
}

function draw(table: Table<Row>): Drawing {
  const rows = deepestShared(table.rows);
  const panels = groupBy(rows, (row) => [row.dataset, row.split]);
  const models = modelOrder(rows.map((row) => row.model));
  const longest = Math.max(2, ...rows.map((row) => row.lastPosition));
  const width = panels.length === 1 ? 320 : Math.round((COLUMN_WIDTH - 90) / Math.min(panels.length, 2));
  const y = {
    field: "loss",
    type: "quantitative",
    title: "loss (nats per token)",
  };
  const x = {
    field: "position",
    type: "quantitative",
    title: "position in the window",
    scale: { type: "log", nice: false, domain: [1, longest] },
    axis: { values: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048].filter((tick) => tick <= longest) },
  };
  const color = {
    field: "label",
    type: "nominal",
    scale: modelColours(models),
    title: null,
    legend: STROKE_LEGEND,
  };
  return {
    columns: 2,
    resolve: { scale: { y: "independent" } },
    concat: panels.map((panel, index) => ({
      title: panelTitle(panel[0]!),
      width,
      height: 200,
      data: {
        values: panel.map((row) => ({
          ...row,
          label: modelStyle(row.model).label,
          low: row.loss - (row.confidence ?? 0),
          high: row.loss + (row.confidence ?? 0),
        })),
      },
      layer: [
        {
          mark: { type: "area", opacity: 0.2 },
          encoding: { x, y: { ...y, field: "low", scale: scaleOf(panel) }, y2: { field: "high" }, color },
        },
        {
          mark: { type: "line" },
          encoding: { x, y: { ...y, title: index % 2 === 0 ? y.title : null, scale: scaleOf(panel) }, color },
        },
      ],
    })),
  };
}

/** A margin above and below, so that no tick label stands beside the panel's title. */
function scaleOf(panel: readonly Row[]): object {
  const lowest = Math.min(...panel.map((row) => row.loss - (row.confidence ?? 0)));
  const highest = Math.max(...panel.map((row) => row.loss + (row.confidence ?? 0)));
  const margin = 0.05 * (highest - lowest) || 0.1;
  return { domain: [lowest - margin, highest + margin], nice: false };
}

/** The largest depth that most models have, so that like is compared with like. */
function deepestShared(rows: readonly Row[]): Row[] {
  const depths = groupBy(rows, (row) => [row.blocks]).map((group) => ({
    group,
    blocks: group[0]!.blocks ?? 0,
    models: new Set(group.map((row) => row.model)).size,
  }));
  depths.sort((a, b) => b.models - a.models || b.blocks - a.blocks);
  return depths[0]?.group ?? [];
}

function panelTitle(row: Row): string {
  const depth = row.blocks === null ? "" : `, ${row.blocks} ${row.blocks === 1 ? "block" : "blocks"}`;
  const split = row.outOfDistribution ? "out of distribution" : row.split === "valid" ? "validation" : row.split;
  return `${row.dataset}, ${split}${depth}`;
}
