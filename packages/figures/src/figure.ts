/**
 * A figure is a small story in three steps: which rows it needs, how they become a table, how the table is drawn.
 * Figures read metric rows and published values, never models, so any laptop redraws them from `results/`.
 */
import type { MetricRow, RunStatus } from "@mm/run";
import type { Table } from "./table.js";

/** What a figure may read beside the metric rows: nothing here is measured, it only says what the rows are about. */
export interface RunFacts {
  readonly name: string;
  readonly status: RunStatus;
  readonly commit: string;
  readonly dirty: boolean;
  readonly command: string;
}

/**
 * A Vega-Lite specification as plain JSON. Its published types are too deep for literals that are put together from
 * parts; instead, a warning of the Vega-Lite compiler is an error when the figure is rendered.
 */
export type Drawing = Readonly<Record<string, unknown>>;

export interface Figure<Row extends object = Record<string, unknown>> {
  /** File name of the figure and of its table, e.g. `loss-by-position`. */
  readonly name: string;
  /** Where the paper shows it, e.g. "Figure 8"; such a name is accepted on the command line as well (`fig8`). */
  readonly paper?: string;
  readonly title: string;
  /** The metrics it is drawn from; without a row of any of them the figure is reported as missing. */
  readonly needs: readonly string[];
  /** The rows it shows, aggregated as drawn; every row that we measured names its runs in the column `runs`. */
  select(rows: readonly MetricRow[]): Table<Row>;
  /** The picture of a table that holds at least one measured row. */
  draw(table: Table<Row>): Drawing;
  /** The command that produces the rows. */
  readonly whichCommand: string;
}

/** Checks a figure against its own row type, then forgets the type, so that all figures fit one registry. */
export function defineFigure<Row extends object>(figure: Figure<Row>): Figure {
  return figure as unknown as Figure;
}
