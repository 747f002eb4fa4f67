/**
 * From a results folder to files: for each figure `tables/NAME.csv` and `.arrow`, `figures/NAME.svg`, `.png`, `.pdf`.
 * Every file is written whole or not at all and carries the names of the runs and the commits behind its numbers.
 */
import { join } from "node:path";
import { type MetricRow, UserError, writeFileAtomic } from "@mm/run";
import type { Figure } from "./figure.js";
import { figures } from "./figures/index.js";
import { embedFont } from "./render/embed-font.js";
import type { FigureMetadata } from "./render/metadata.js";
import { renderPdf } from "./render/pdf.js";
import { renderPng } from "./render/png.js";
import { renderSvg } from "./render/svg.js";
import { type Results, readResults } from "./results.js";
import { type Table, tableToArrow, tableToCsv } from "./table.js";

export const FIGURE_FORMATS = ["svg", "png", "pdf"] as const;
export type FigureFormat = (typeof FIGURE_FORMATS)[number];
export type FigureName = keyof typeof figures;

export interface PlotOptions {
  /** Where `runs/` lies. */
  readonly resultsFolder: string;
  /** Where the datasets lie, for their statistics. */
  readonly datasetsFolder?: string;
  /** Where `tables/` and `figures/` go; the results folder unless given. */
  readonly outFolder?: string;
  /** All formats unless given. */
  readonly formats?: readonly FigureFormat[];
}

export type PlotOutcome = DrawnFigure | MissingFigure;

export interface DrawnFigure {
  readonly status: "drawn";
  readonly name: string;
  readonly title: string;
  readonly paper: string | undefined;
  readonly files: readonly string[];
  readonly runs: readonly string[];
  readonly table: Table;
  readonly svg: string;
  readonly metadata: FigureMetadata;
}

export interface MissingFigure {
  readonly status: "missing";
  readonly name: string;
  readonly title: string;
  readonly paper: string | undefined;
  /** One sentence for people: what is missing. */
  readonly message: string;
  /** The command that produces it. */
  readonly command: string;
}

/**
 * Draws figures, all of them when no name is given. A figure without rows is reported as missing, with the command
 * that produces them, and does not keep the others from being drawn.
 *
 * @throws UserError when a name is no figure, or a file cannot be written
 */
export async function plotFigures(names: readonly string[], options: PlotOptions): Promise<PlotOutcome[]> {
  const chosen = names.length === 0 ? Object.values<Figure>(figures) : names.map(findFigure);
  const results = readResults(options);
  const outcomes: PlotOutcome[] = [];
  for (const figure of new Set(chosen)) outcomes.push(await plotFigure(figure, results, options));
  return outcomes;
}

/** Draws one figure, also one that is not in the registry. */
export async function plotFigure(figure: Figure, results: Results, options: PlotOptions): Promise<PlotOutcome> {
  const { name, title, paper } = figure;
  const table = figure.select(results.rows);
  const runs = runNames(table);
  if (runs.length === 0) {
    return { status: "missing", name, title, paper, ...explainMissing(figure, results.rows, options.resultsFolder) };
  }
  const metadata = describeOrigin(figure, runs, results.runs);
  const svg = await renderSvg(figure.draw(table), metadata);
  const out = options.outFolder ?? options.resultsFolder;
  const files: string[] = [];
  const write = (folder: string, extension: string, content: string | Uint8Array) => {
    const path = join(out, folder, `${name}.${extension}`);
    writeFileAtomic(path, content);
    files.push(path);
  };
  write("tables", "csv", tableToCsv(table));
  write("tables", "arrow", tableToArrow(table, metadata));
  for (const format of options.formats ?? FIGURE_FORMATS) {
    write("figures", format, await FORMATS[format](svg, metadata));
  }
  return { status: "drawn", name, title, paper, files, runs, table, svg, metadata };
}

const FORMATS: Record<FigureFormat, (svg: string, metadata: FigureMetadata) => Promise<Uint8Array | string>> = {
  svg: async (svg) => embedFont(svg),
  png: async (svg, metadata) => renderPng(svg, metadata),
  pdf: renderPdf,
};

/**
 * The figure of a name: its own (`position-loss`) or its place in the paper (`fig8`, `figure-8`, `table1`).
 *
 * @throws UserError listing the figures
 */
export function findFigure(name: string): Figure {
  const wanted = name.toLowerCase();
  const found = Object.values<Figure>(figures).find(
    (figure) => figure.name === wanted || placesInPaper(figure).includes(wanted),
  );
  if (found !== undefined) return found;
  throw new UserError(`Expected the name of a figure but found ${JSON.stringify(name)}.`, {
    hint: `Choose from: ${Object.keys(figures).join(", ")}.`,
  });
}

function placesInPaper({ paper }: Figure): string[] {
  if (paper === undefined) return [];
  const [kind, number] = paper.toLowerCase().split(" ");
  const kinds = kind === "figure" ? ["figure", "fig"] : [kind];
  return kinds.flatMap((word) => [`${word}${number}`, `${word}-${number}`]);
}

/** The measured runs of a table, from its column `runs`. */
function runNames(table: Table): string[] {
  const names = table.rows.flatMap((row) => String(row["runs"] ?? "").split(" "));
  return [...new Set(names.filter((name) => name !== ""))].sort();
}

function explainMissing(figure: Figure, rows: readonly MetricRow[], folder: string) {
  const missing = figure.needs.filter((metric) => !rows.some((row) => row.metric === metric));
  const what =
    missing.length > 0
      ? `no run in ${join(folder, "runs")} has measured ${missing.join(" or ")}`
      : `no run in ${join(folder, "runs")} has measured ${figure.needs.join(" and ")} as this figure shows it`;
  return { message: `Figure ${figure.name} (${figure.title}) cannot be drawn: ${what}.`, command: figure.whichCommand };
}

function describeOrigin(figure: Figure, runs: readonly string[], facts: Results["runs"]): FigureMetadata {
  const commits = runs.flatMap((run) => {
    const { commit, dirty } = facts.get(run) ?? { commit: "", dirty: false };
    return commit === "" ? [] : [`${commit}${dirty ? "+" : ""}`];
  });
  return {
    title: figure.title,
    figure: figure.name,
    runs: runs.join(" "),
    commits: [...new Set(commits)].join(" "),
    command: `mm plot figures ${figure.name}`,
  };
}
