/**
 * Three moons: the first coordinate of each moon, as it is, as predicted from the true past, and as generated after the
 * prompt ends; one column per number of heads. Reads `trajectory` with the tags `heads`, `triple` ("train" or
 * "held-out"), `series` ("true", "teacher-forced", "generated"), `component`, `position`, and `prompt` (its length).
 */
import type { MetricRow } from "@mm/run";
import { type Drawing, defineFigure } from "../figure.js";
import { groupBy } from "../statistics.js";
import { INK, MUTED, STROKE_LEGEND } from "../style.js";
import type { Table } from "../table.js";
import { numberTag, textTag } from "../tags.js";
import { averageOverSeeds } from "./averages.js";

interface Row {
  heads: number;
  triple: string;
  series: string;
  component: number;
  position: number;
  prompt: number | null;
  value: number;
  runs: string;
}

export const threeMoonsTrajectories = defineFigure<Row>({
  name: "three-moons-trajectories",
  title: "Three moons: true, teacher-forced and generated trajectories",
  needs: ["trajectory"],
  whichCommand: "mm eval three-moons",
  select: (rows) => ({ columns: COLUMNS, rows: select(rows) }),
  draw,
});

const COLUMNS: Table<Row>["columns"] = {
  heads: "number",
  triple: "string",
  series: "string",
  component: "number",
  position: "number",
  prompt: "number",
  value: "number",
  runs: "string",
};

function select(rows: readonly MetricRow[]): Row[] {
  // Several seeds would blur a trajectory: the first run of each number of heads is shown.
  const found = rows.filter((row) => row.metric === "trajectory");
  const shown = groupBy(found, (row) => [row.tags["heads"]]).flatMap((group) =>
    group.filter((row) => row.run === group[0]!.run),
  );
  return averageOverSeeds(shown, ["trajectory"], ["heads", "triple", "series", "component", "position"]).map(
    ({ first, value, runs }) => ({
      heads: numberTag(first, "heads")!,
      triple: textTag(first, "triple"),
      series: textTag(first, "series"),
      component: numberTag(first, "component")!,
      position: numberTag(first, "position")!,
      prompt: numberTag(first, "prompt"),
      value,
      runs,
    }),
  );
}

const ONE_ROW = { values: [{}] };

const SERIES = {
  domain: ["true", "teacher-forced", "generated"],
  range: ["#b9bec6", "#4a90dd", "#a8143a"],
};

function draw(table: Table<Row>): Drawing {
  // The held-out triple tells more; a moon is a sine and a cosine, the sine is enough to see it.
  const triple = table.rows.some((row) => row.triple === "held-out") ? "held-out" : table.rows[0]!.triple;
  const rows = table.rows.filter((row) => row.triple === triple && row.component % 2 === 0);
  const heads = [...new Set(rows.map((row) => row.heads))].sort((a, b) => a - b);
  const moons = [...new Set(rows.map((row) => row.component))].sort((a, b) => a - b);
  const last = Math.max(...rows.map((row) => row.position));
  return {
    spacing: 10,
    columns: heads.length,
    concat: moons.flatMap((component, line) =>
      heads.map((count, column) => {
        const values = rows.filter((row) => row.component === component && row.heads === count);
        const prompt = values.find((row) => row.prompt !== null)?.prompt;
        const x = {
          field: "position",
          type: "quantitative",
          title: line === moons.length - 1 ? "position" : null,
          scale: { nice: false, domain: [0, last] },
          axis: { labels: line === moons.length - 1, ticks: line === moons.length - 1 },
        };
        const y = {
          field: "value",
          type: "quantitative",
          title: column === 0 ? `moon ${component / 2 + 1}` : null,
          scale: { domain: [-1.2, 1.45], nice: false },
          axis: { values: [-1, 0, 1], labels: column === 0, ticks: column === 0, labelOverlap: false },
        };
        const curve = (series: string, strokeWidth: number, strokeDash: number[]) => ({
          data: { values: values.filter((row) => row.series === series) },
          mark: { type: "line", strokeWidth, strokeDash, clip: true },
          encoding: {
            x,
            y,
            color: { field: "series", type: "nominal", scale: SERIES, title: null, legend: STROKE_LEGEND },
          },
        });
        return {
          ...(line === 0 ? { title: `${count} ${count === 1 ? "head" : "heads"}, ${triple} periods` } : {}),
          width: heads.length === 1 ? 440 : 225,
          height: 72,
          layer: [
            curve("true", 3.2, [1, 0]),
            curve("teacher-forced", 1, [2.5, 2]),
            curve("generated", 1.4, [1, 0]),
            ...(prompt === undefined || prompt === null
              ? []
              : [
                  {
                    data: ONE_ROW,
                    mark: { type: "rule", strokeWidth: 0.8, color: INK },
                    encoding: { x: { datum: prompt } },
                  },
                  ...(line === 0
                    ? [
                        {
                          data: ONE_ROW,
                          mark: {
                            type: "text",
                            text: "prompt ends",
                            align: "right",
                            dx: -4,
                            fontSize: 8.5,
                            color: MUTED,
                          },
                          encoding: { x: { datum: prompt }, y: { value: 5 } },
                        },
                      ]
                    : []),
                ]),
          ],
        };
      }),
    ),
  };
}
