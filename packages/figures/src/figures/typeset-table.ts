/** A table set as in a paper: ruled above, below and under its head, numbers to the right, nothing else. */
import type { Drawing } from "../figure.js";
import { textWidth } from "../render/fonts.js";
import { INK, MUTED, RULE } from "../style.js";

export interface TypesetColumn {
  readonly title: string;
  readonly align: "left" | "right";
}

export interface TypesetRow {
  readonly cells: readonly string[];
  /** Grey: a value that is not ours. */
  readonly muted?: boolean;
  /** A thin rule above, between groups of rows. */
  readonly ruled?: boolean;
}

const FONT_SIZE = 10;
const LINE = 18;
const GAP = 22;

export function typesetTable(columns: readonly TypesetColumn[], rows: readonly TypesetRow[]): Drawing {
  let edge = 0;
  const places = columns.map(({ title, align }, index) => {
    const width = Math.max(
      textWidth(title, FONT_SIZE, 600),
      ...rows.map((row) => textWidth(row.cells[index] ?? "", FONT_SIZE)),
    );
    const left = edge;
    edge += width + GAP;
    return align === "left" ? left : left + width;
  });
  const width = edge - GAP;
  const height = (rows.length + 1) * LINE;
  const baseline = (line: number) => (line + 0.5) * LINE;
  const head = columns.map((column, index) => ({ ...column, x: places[index], y: baseline(0), text: column.title }));
  const body = rows.flatMap((row, line) =>
    columns.map((column, index) => ({
      align: column.align,
      x: places[index],
      y: baseline(line + 1),
      text: row.cells[index] ?? "",
      colour: row.muted ? MUTED : INK,
    })),
  );
  const rules = [
    { y: 0, strength: 1, colour: INK },
    { y: LINE, strength: 0.6, colour: INK },
    { y: height, strength: 1, colour: INK },
    ...rows.flatMap((row, line) => (row.ruled ? [{ y: (line + 1) * LINE, strength: 0.6, colour: RULE }] : [])),
  ];
  const pixels = { type: "quantitative", scale: null, axis: null };
  const text = (align: string, values: readonly object[], fontWeight: number) => ({
    data: { values },
    transform: [{ filter: `datum.align === '${align}'` }],
    mark: { type: "text", align, baseline: "middle", fontSize: FONT_SIZE, fontWeight },
    encoding: {
      x: { field: "x", ...pixels },
      y: { field: "y", ...pixels },
      text: { field: "text" },
      color: { field: "colour", type: "nominal", scale: null },
    },
  });
  return {
    width,
    height,
    layer: [
      {
        data: { values: rules },
        mark: { type: "rule" },
        encoding: {
          x: { value: 0 },
          x2: { value: width },
          y: { field: "y", ...pixels },
          size: { field: "strength", type: "quantitative", scale: null },
          color: { field: "colour", type: "nominal", scale: null },
        },
      },
      ...["left", "right"].flatMap((align) => [
        text(
          align,
          head.map((cell) => ({ ...cell, colour: INK })),
          600,
        ),
        text(align, body, 400),
      ]),
    ],
  };
}
