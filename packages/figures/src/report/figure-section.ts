/** What `plotFigures` made, as a section of the report; a missing figure says what is missing and how to get it. */
import type { PlotOutcome } from "../plot-figures.js";
import type { ReportSection } from "./report.js";

export function figureSection(outcome: PlotOutcome, text: readonly string[] = []): ReportSection {
  const title = outcome.paper === undefined ? outcome.title : `${outcome.title} (${outcome.paper})`;
  if (outcome.status === "missing") return { title, text: [...text, outcome.message], commands: [outcome.command] };
  const { command } = outcome.metadata;
  return { title, text, figures: [{ svg: outcome.svg, command, runs: outcome.runs }] };
}
