/**
 * Three moons: which stored positions each position reads, one panel per head. Reads `attention` with the tags `heads`,
 * `head`, `query` and `key`. Maps larger than 96 × 96 are averaged down to cells.
 */
import type { MetricRow } from "@mm/run";
import { type Drawing, defineFigure } from "../figure.js";
import { groupBy, mean, runsOf } from "../statistics.js";
import type { Table } from "../table.js";
import { numberTag } from "../tags.js";
import { HEAT } from "./heat-map.js";

interface Row {
  heads: number;
  head: number;
  /** Positions of the cell's first query and key. */
  query: number;
  key: number;
  /** Width of the cell in positions. */
  cell: number;
  attention: number;
  runs: string;
}

export const threeMoonsAttention = defineFigure<Row>({
  name: "three-moons-attention",
  title: "Three moons: attention of each head",
  needs: ["attention"],
  whichCommand: "mm eval three-moons",
  select: (rows) => ({ columns: COLUMNS, rows: select(rows) }),
  draw,
});

const COLUMNS: Table<Row>["columns"] = {
  heads: "number",
  head: "number",
  query: "number",
  key: "number",
  cell: "number",
  attention: "number",
  runs: "string",
};

const MOST_CELLS = 96;
/** Cells paler than this part of the darkest are left out of the picture, not of the table. */
const FAINTEST = 0.01;

function select(rows: readonly MetricRow[]): Row[] {
  const found = rows.filter((row) => row.metric === "attention" && numberTag(row, "heads") !== null);
  const maps = groupBy(found, (row) => [row.tags["heads"], row.tags["head"]]);
  return maps.flatMap((map) => {
    const shown = map.filter((row) => row.run === map[0]!.run);
    const size = 1 + shown.reduce((most, row) => Math.max(most, numberTag(row, "query")!), 0);
    const cell = Math.ceil(size / MOST_CELLS);
    const down = (row: MetricRow, tag: string) => Math.floor(numberTag(row, tag)! / cell) * cell;
    return groupBy(shown, (row) => [down(row, "query"), down(row, "key")]).map((group) => ({
      heads: numberTag(group[0]!, "heads")!,
      head: numberTag(group[0]!, "head")!,
      query: down(group[0]!, "query"),
      key: down(group[0]!, "key"),
      cell,
      attention: mean(group.map((row) => row.value)),
      runs: runsOf(group),
    }));
  });
}

function draw(table: Table<Row>): Drawing {
  const maps = groupBy(table.rows, (row) => [row.heads, row.head]);
  maps.sort((a, b) => a[0]!.heads - b[0]!.heads || a[0]!.head - b[0]!.head);
  return {
    columns: 4,
    spacing: 16,
    resolve: { scale: { color: "independent" } },
    concat: maps.map((map, index) => {
      const { heads, head, cell } = map[0]!;
      const size = Math.max(...map.map((row) => row.query)) + cell;
      const darkest = Math.max(...map.map((row) => row.attention));
      const axis = { nice: false, domain: [0, size] };
      return {
        title: heads === 1 ? "1 head" : `${heads} heads, head ${head + 1}`,
        width: 104,
        height: 104,
        data: {
          values: map
            .filter((row) => row.attention > FAINTEST * darkest)
            .map((row) => ({ ...row, queryEnd: row.query + cell, keyEnd: row.key + cell })),
        },
        mark: { type: "rect", stroke: null },
        encoding: {
          x: { field: "key", type: "quantitative", title: "stored position", scale: axis, axis: { tickCount: 3 } },
          x2: { field: "keyEnd" },
          y: {
            field: "query",
            type: "quantitative",
            title: index % 4 === 0 ? "position" : null,
            scale: { ...axis, reverse: true },
            axis: { tickCount: 3, grid: false },
          },
          y2: { field: "queryEnd" },
          color: { field: "attention", type: "quantitative", scale: { ...HEAT, domain: [0, darkest] }, legend: null },
        },
      };
    }),
  };
}
