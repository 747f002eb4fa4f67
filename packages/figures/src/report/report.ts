/**
 * One self-contained HTML page of results: figures inline, tables with ours beside the published values, and the
 * command behind every number. No script, no request to anywhere; light or dark as the reader's system says.
 */
import { writeFileAtomic } from "@mm/run";
import { embedFontInPage } from "../render/embed-font.js";
import { escapeXml } from "../render/svg.js";
import { REPORT_STYLE } from "./report-style.js";
import { formatMeasured, type ReportTable } from "./report-table.js";

export interface Report {
  readonly title: string;
  readonly subtitle?: string;
  /** Short facts under the title: commit, machine, backend, date, … */
  readonly facts?: Readonly<Record<string, string>>;
  readonly sections: readonly ReportSection[];
}

export interface ReportSection {
  readonly title: string;
  /** Belongs to the section before it: a smaller heading, and not in the contents. */
  readonly within?: boolean;
  /** Paragraphs of plain text. */
  readonly text?: readonly string[];
  readonly tables?: readonly ReportTable[];
  readonly figures?: readonly ReportFigure[];
  /** What to type next, or to make what is missing here. */
  readonly commands?: readonly string[];
}

export interface ReportFigure {
  /** Left out where the section's title says it. */
  readonly title?: string;
  readonly svg: string;
  readonly caption?: string;
  /** The command that draws it. */
  readonly command: string;
  /** The runs it shows. */
  readonly runs?: readonly string[];
}

/**
 * Writes the page, whole or not at all.
 *
 * @throws UserError when the place cannot be written
 */
export function writeReport(path: string, report: Report): void {
  writeFileAtomic(path, renderReport(report));
}

export function renderReport(report: Report): string {
  const facts = Object.entries(report.facts ?? {}).map(
    ([name, value]) => `<div><dt>${escapeXml(name)}</dt><dd>${escapeXml(value)}</dd></div>`,
  );
  const sections = report.sections.map(renderSection);
  const contents = report.sections.flatMap(({ title, within = false }, index) =>
    within ? [] : [`<li><a href="#section-${index + 1}">${escapeXml(title)}</a></li>`],
  );
  return embedFontInPage(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeXml(report.title)}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<header>
<h1>${escapeXml(report.title)}</h1>
${report.subtitle === undefined ? "" : `<p class="subtitle">${escapeXml(report.subtitle)}</p>`}
${facts.length === 0 ? "" : `<dl>${facts.join("")}</dl>`}
${contents.length < 3 ? "" : `<nav><ol>${contents.join("")}</ol></nav>`}
</header>
<main>
${sections.join("\n")}
</main>
</body>
</html>
`);
}

function renderSection(section: ReportSection, index: number): string {
  const heading = section.within ? "h3" : "h2";
  const parts = [
    `<${heading}>${escapeXml(section.title)}</${heading}>`,
    ...(section.text ?? []).map((paragraph) => `<p>${escapeXml(paragraph)}</p>`),
    ...(section.tables ?? []).map(renderTable),
    ...(section.figures ?? []).map((figure, number) => renderFigure(figure, `s${index + 1}f${number + 1}-`)),
    ...(section.commands ?? []).map((command) => `<pre><code>${escapeXml(command)}</code></pre>`),
  ];
  return `<section id="section-${index + 1}"${section.within ? ' class="within"' : ""}>\n${parts.join("\n")}\n</section>`;
}

/** @param prefix makes the ids inside the SVG unlike those of the other figures on the page */
function renderFigure(figure: ReportFigure, prefix: string): string {
  const svg = figure.svg
    .replace(/<style>@font-face.*?<\/style>/g, "")
    .replace(/<metadata.*?<\/metadata>/g, "")
    .replace(/\bid="([^"]+)"/g, `id="${prefix}$1"`)
    .replace(/url\(#([^)]+)\)/g, `url(#${prefix}$1)`)
    .replace(/href="#([^"]+)"/g, `href="#${prefix}$1"`);
  const runs = figure.runs ?? [];
  const origin =
    runs.length === 0 ? "" : `<details><summary>${count(runs.length, "run")}</summary>${list(runs)}</details>`;
  const title = figure.title === undefined ? "" : `<strong>${escapeXml(figure.title)}</strong>`;
  const caption = figure.caption === undefined ? "" : `<p>${escapeXml(figure.caption)}</p>`;
  return `<figure>
<div class="picture">${svg}</div>
<figcaption>${title}${caption}<code>${escapeXml(figure.command)}</code>${origin}</figcaption>
</figure>`;
}

function renderTable(table: ReportTable): string {
  const commands = table.rows.some((row) => row.command !== undefined);
  const head = table.columns.map(
    (column) => `<th scope="col" class="${column.align ?? "left"}">${escapeXml(column.title)}</th>`,
  );
  const body = table.rows.map((row) => {
    const cells = table.columns.map((column) => {
      const cell = row.cells[column.key] ?? null;
      return `<td class="${column.align ?? "left"}">${renderCell(cell, column.digits)}</td>`;
    });
    const command = row.command === undefined ? "" : `<code>${escapeXml(row.command)}</code>`;
    return `<tr>${cells.join("")}${commands ? `<td class="command">${command}</td>` : ""}</tr>`;
  });
  return `<div class="table"><table>
${table.caption === undefined ? "" : `<caption>${escapeXml(table.caption)}</caption>`}
<thead><tr>${head.join("")}${commands ? '<th scope="col">command</th>' : ""}</tr></thead>
<tbody>
${body.join("\n")}
</tbody>
</table>${table.command === undefined ? "" : `<p class="origin"><code>${escapeXml(table.command)}</code></p>`}</div>`;
}

function renderCell(cell: ReportTable["rows"][number]["cells"][string], digits?: number): string {
  const { value, published, note } = formatMeasured(cell, digits);
  return [
    escapeXml(value),
    published === "" ? "" : ` <span class="published">published ${escapeXml(published)}</span>`,
    note === "" ? "" : ` <span class="note">${escapeXml(note)}</span>`,
  ].join("");
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

function list(items: readonly string[]): string {
  return `<ul>${items.map((item) => `<li>${escapeXml(item)}</li>`).join("")}</ul>`;
}
