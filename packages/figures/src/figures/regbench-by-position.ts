/**
 * Where in a RegBench problem a model is right: accuracy and total variation by position, and by the number of strings
 * seen before. Reads `dfaAccuracyByPosition`, `totalVariationByPosition` (tag `position`) and `dfaAccuracyByStringsSeen`,
 * `totalVariationByStringsSeen` (tag `strings`), all on the test split; the largest number of environments is shown.
 */
import type { MetricRow } from "@mm/run";
import { type Drawing, defineFigure } from "../figure.js";
import { oneRunPerSeed } from "../selection.js";
import { groupBy, mean, runsOf, standardDeviation } from "../statistics.js";
import type { Table } from "../table.js";
import { isVariation, numberTag, textTag } from "../tags.js";
import { modelCurves } from "./model-curves.js";

interface Row {
  model: string;
  environments: number | null;
  metric: string;
  along: "position" | "strings";
  place: number;
  value: number;
  deviation: number | null;
  seeds: number;
  runs: string;
}

const METRICS = {
  dfaAccuracyByPosition: { metric: "accuracy", along: "position" },
  totalVariationByPosition: { metric: "total variation", along: "position" },
  dfaAccuracyByStringsSeen: { metric: "accuracy", along: "strings" },
  totalVariationByStringsSeen: { metric: "total variation", along: "strings" },
} as const;

export const regbenchByPosition = defineFigure<Row>({
  name: "regbench-by-position",
  title: "RegBench scores along a problem",
  needs: ["dfaAccuracyByPosition", "totalVariationByPosition"],
  whichCommand: "mm eval regbench --model memory-mosaic --environments 100",
  select: (rows) => ({ columns: COLUMNS, rows: select(rows) }),
  draw,
});

const COLUMNS: Table<Row>["columns"] = {
  model: "string",
  environments: "number",
  metric: "string",
  along: "string",
  place: "number",
  value: "number",
  deviation: "number",
  seeds: "number",
  runs: "string",
};

/** Positions are averaged in groups of this many, weighted by how many problems reach them (tag `count`). */
const POSITIONS = 16;

function select(rows: readonly MetricRow[]): Row[] {
  const found = rows.filter((row) => row.metric in METRICS && !isVariation(row));
  const groups = groupBy(found, (row) => [row.metric, row.tags["model"], row.tags["environments"], placeOf(row)]);
  return groups
    .map((group): Row => {
      const chosen = oneRunPerSeed(group);
      const perRun = groupBy(chosen, (row) => [row.run]).map(weightedMean);
      const { metric, along } = METRICS[group[0]!.metric as keyof typeof METRICS];
      return {
        model: textTag(group[0]!, "model"),
        environments: numberTag(group[0]!, "environments"),
        metric,
        along,
        place: placeOf(group[0]!),
        value: mean(perRun),
        deviation: standardDeviation(perRun),
        seeds: perRun.length,
        runs: runsOf(chosen),
      };
    })
    .sort((a, b) => a.model.localeCompare(b.model) || a.place - b.place);
}

/** Strings seen, or the centre of the group of positions. */
function placeOf(row: MetricRow): number {
  const strings = numberTag(row, "strings");
  return strings ?? (Math.floor(numberTag(row, "position")! / POSITIONS) + 0.5) * POSITIONS;
}

function weightedMean(rows: readonly MetricRow[]): number {
  const weight = (row: MetricRow) => numberTag(row, "count") ?? 1;
  const total = rows.reduce((sum, row) => sum + weight(row), 0);
  return rows.reduce((sum, row) => sum + weight(row) * row.value, 0) / total;
}

const AXIS_TITLES = { position: "position in the problem", strings: "strings seen before" };

function draw(table: Table<Row>): Drawing {
  const most = Math.max(...table.rows.map((row) => row.environments ?? 0));
  const rows = table.rows.filter((row) => row.environments === most || row.environments === null);
  return {
    columns: 2,
    concat: groupBy(rows, (row) => [row.along, row.metric]).map((panel) => ({
      ...modelCurves(panel, {
        x: { field: "place", title: AXIS_TITLES[panel[0]!.along] },
        y: { field: "value", title: panel[0]!.metric },
        width: 215,
        height: 160,
        points: false,
      }),
    })),
  };
}
