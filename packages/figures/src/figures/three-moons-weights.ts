/**
 * Three moons: modulus of each complex weight of the key, value and output maps. With three heads, each row and column
 * of blocks has one strong entry: one head, one moon. Reads `weightModulus` with the tags `heads`, `matrix` ("keys",
 * "values", "output"), `row` and `column`.
 */
import type { MetricRow } from "@mm/run";
import { type Drawing, defineFigure } from "../figure.js";
import { groupBy } from "../statistics.js";
import { PAPER } from "../style.js";
import type { Table } from "../table.js";
import { numberTag, textTag } from "../tags.js";
import { averageOverSeeds } from "./averages.js";
import { HEAT } from "./heat-map.js";

interface Row {
  heads: number;
  matrix: string;
  row: number;
  column: number;
  modulus: number;
  runs: string;
}

export const threeMoonsWeights = defineFigure<Row>({
  name: "three-moons-weights",
  title: "Three moons: moduli of the complex weights",
  needs: ["weightModulus"],
  whichCommand: "mm eval three-moons",
  select: (rows) => ({ columns: COLUMNS, rows: select(rows) }),
  draw,
});

const COLUMNS: Table<Row>["columns"] = {
  heads: "number",
  matrix: "string",
  row: "number",
  column: "number",
  modulus: "number",
  runs: "string",
};

const MATRICES: Readonly<Record<string, string>> = {
  keys: "keys, |Wφ|",
  values: "values, |Wψ|",
  output: "output, |Wz|",
};

/** One run per number of heads: which head takes which moon differs from seed to seed. */
function select(rows: readonly MetricRow[]): Row[] {
  const found = rows.filter((row) => row.metric === "weightModulus");
  const shown = groupBy(found, (row) => [row.tags["heads"]]).flatMap((group) =>
    group.filter((row) => row.run === group[0]!.run),
  );
  return averageOverSeeds(shown, ["weightModulus"], ["heads", "matrix", "row", "column"]).map(
    ({ first, value, runs }) => ({
      heads: numberTag(first, "heads")!,
      matrix: textTag(first, "matrix"),
      row: numberTag(first, "row")!,
      column: numberTag(first, "column")!,
      modulus: value,
      runs,
    }),
  );
}

function draw(table: Table<Row>): Drawing {
  const order = Object.keys(MATRICES);
  const panels = groupBy(table.rows, (row) => [row.heads, row.matrix]);
  panels.sort((a, b) => a[0]!.heads - b[0]!.heads || order.indexOf(a[0]!.matrix) - order.indexOf(b[0]!.matrix));
  return {
    columns: 3,
    spacing: 14,
    resolve: { scale: { color: "independent" } },
    concat: panels.map((panel) => {
      const { heads, matrix } = panel[0]!;
      const largest = Math.max(...panel.map((row) => row.modulus));
      const x = { field: "column", type: "ordinal", title: null, axis: null };
      const y = { field: "row", type: "ordinal", title: null, axis: null };
      return {
        title: { text: MATRICES[matrix] ?? matrix, subtitle: `${heads} ${heads === 1 ? "head" : "heads"}` },
        width: 114,
        height: 114,
        data: { values: panel.map((row) => ({ ...row, dark: row.modulus > largest / 2 })) },
        layer: [
          {
            mark: { type: "rect", stroke: PAPER, strokeWidth: 2 },
            encoding: {
              x,
              y,
              color: { field: "modulus", type: "quantitative", scale: { ...HEAT, domain: [0, largest] }, legend: null },
            },
          },
          {
            // Named colours: in a dark report the neutral ones turn over, the cells do not.
            mark: { type: "text", fontSize: 9.5 },
            encoding: {
              x,
              y,
              text: { field: "modulus", type: "quantitative", format: ".2f" },
              color: { condition: { test: "datum.dark", value: "white" }, value: "black" },
            },
          },
        ],
      };
    }),
  };
}
