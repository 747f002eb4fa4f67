/**
 * What a model recalls: accuracy of key–value recall against the distance between a pair and its query, and among how
 * many pairs (multi-query associative recall). Mean and one standard deviation over seeds; of several lengths of
 * training the longest. Reads `recallAccuracy` with the tags `model` and `distance` or `pairs`.
 */
import type { MetricRow } from "@mm/run";
import { type Drawing, defineFigure } from "../figure.js";
import { longestRuns } from "../selection.js";
import { groupBy } from "../statistics.js";
import type { Table } from "../table.js";
import { isVariation, numberTag, textTag } from "../tags.js";
import { averageOverSeeds } from "./averages.js";
import { modelCurves } from "./model-curves.js";

interface Row {
  model: string;
  task: "distance" | "pairs";
  /** Tokens between pair and query, or pairs in the sequence. */
  point: number;
  accuracy: number;
  deviation: number | null;
  seeds: number;
  steps: number;
  runs: string;
}

export const recall = defineFigure<Row>({
  name: "recall",
  title: "Recall by distance and among pairs",
  needs: ["recallAccuracy"],
  whichCommand: "mm eval recall --all",
  select: (rows) => ({ columns: COLUMNS, rows: select(rows) }),
  draw,
});

const COLUMNS: Table<Row>["columns"] = {
  model: "string",
  task: "string",
  point: "number",
  accuracy: "number",
  deviation: "number",
  seeds: "number",
  steps: "number",
  runs: "string",
};

const PANELS = {
  distance: { title: "over a distance", x: "distance in tokens" },
  pairs: { title: "among many pairs", x: "pairs in the sequence" },
} as const;
const TASKS = Object.keys(PANELS) as (keyof typeof PANELS)[];

function select(rows: readonly MetricRow[]): Row[] {
  const found = rows.filter((row) => row.metric === "recallAccuracy" && !isVariation(row));
  return TASKS.flatMap((task) => {
    const ofTask = found.filter((row) => numberTag(row, task) !== null);
    const longest = groupBy(ofTask, (row) => [textTag(row, "model")]).flatMap(longestRuns);
    return averageOverSeeds(longest, ["recallAccuracy"], ["model", task]).map(
      ({ first, value, deviation, seeds, runs }) => ({
        model: textTag(first, "model"),
        task,
        point: numberTag(first, task)!,
        accuracy: value,
        deviation,
        seeds,
        steps: first.step,
        runs,
      }),
    );
  }).sort((a, b) => a.task.localeCompare(b.task) || a.model.localeCompare(b.model) || a.point - b.point);
}

function draw({ rows }: Table<Row>): Drawing {
  const shown = TASKS.filter((task) => rows.some((row) => row.task === task));
  const models = rows.map(({ model }) => model);
  const panels = shown.map((task, index) =>
    modelCurves(
      rows.filter((row) => row.task === task),
      {
        title: PANELS[task].title,
        x: { field: "point", title: PANELS[task].x, log: true },
        y: { field: "accuracy", title: index === 0 ? "recall accuracy" : "", domain: [0, 1] },
        width: shown.length === 1 ? 320 : 210,
        models,
        nested: true,
      },
    ),
  );
  return { hconcat: panels };
}
