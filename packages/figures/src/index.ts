export * from "./figure.js";
export { figures } from "./figures/index.js";
export {
  type DrawnFigure,
  FIGURE_FORMATS,
  type FigureFormat,
  type FigureName,
  findFigure,
  type MissingFigure,
  type PlotOptions,
  type PlotOutcome,
  plotFigure,
  plotFigures,
} from "./plot-figures.js";
export * from "./published/index.js";
export type { FigureMetadata } from "./render/metadata.js";
export { figureSection } from "./report/figure-section.js";
export { type Report, type ReportFigure, type ReportSection, renderReport, writeReport } from "./report/report.js";
export {
  type Measured,
  markdownTable,
  type ReportCell,
  type ReportColumn,
  type ReportRow,
  type ReportTable,
} from "./report/report-table.js";
export { type Results, readResults } from "./results.js";
export { modelStyle } from "./style.js";
export { type Cell, type ColumnType, type Table, tableFromArrow, tableToArrow, tableToCsv } from "./table.js";
