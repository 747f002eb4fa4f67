/** Tables of results, for the HTML report and, as Markdown, for a README. */

export interface ReportTable {
  readonly caption?: string;
  readonly columns: readonly ReportColumn[];
  readonly rows: readonly ReportRow[];
  /** The command that produced all of its numbers; else each row has its own. */
  readonly command?: string;
}

export interface ReportColumn {
  readonly key: string;
  readonly title: string;
  readonly align?: "left" | "right";
  /** Decimal places of its numbers; without it, integers as they are and other numbers with three significant digits. */
  readonly digits?: number;
}

export interface ReportRow {
  readonly cells: Readonly<Record<string, ReportCell>>;
  /** The command that produced the numbers of this row. */
  readonly command?: string;
}

export type ReportCell = string | number | boolean | null | Measured;

/** A number of ours, with what others published for it. */
export interface Measured {
  readonly value: number | null;
  /** Standard deviation over seeds. */
  readonly deviation?: number | null;
  readonly published?: number | null;
  /** What makes it not quite comparable, such as "shortened protocol". */
  readonly note?: string;
}

/** The texts of a cell: the value with its deviation, the published value, the note; "–" for nothing. */
export function formatMeasured(cell: ReportCell, digits?: number): { value: string; published: string; note: string } {
  if (typeof cell === "object" && cell !== null) {
    const deviation = cell.deviation ?? null;
    return {
      value: formatNumber(cell.value, digits) + (deviation === null ? "" : ` ± ${formatNumber(deviation, digits)}`),
      published: cell.published === undefined || cell.published === null ? "" : formatNumber(cell.published, digits),
      note: cell.note ?? "",
    };
  }
  const value = typeof cell === "number" || cell === null ? formatNumber(cell, digits) : String(cell);
  return { value, published: "", note: "" };
}

function formatNumber(value: number | null, digits: number | undefined): string {
  if (value === null) return "–";
  if (!Number.isFinite(value)) return String(value);
  if (digits !== undefined) {
    return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }
  return value.toLocaleString("en-US", Number.isInteger(value) ? {} : { maximumSignificantDigits: 3 });
}

/** The table as GitHub Markdown; published values and notes in brackets, commands in a last column or below. */
export function markdownTable({ columns, rows, command }: ReportTable): string {
  const commands = rows.some((row) => row.command !== undefined);
  const titles = [...columns.map((column) => column.title), ...(commands ? ["command"] : [])];
  const rules = [...columns.map((column) => (column.align === "right" ? "--:" : ":--")), ...(commands ? [":--"] : [])];
  const lines = rows.map((row) => {
    const cells = columns.map((column) => {
      const { value, published, note } = formatMeasured(row.cells[column.key] ?? null, column.digits);
      const remarks = [published === "" ? "" : `published ${published}`, note].filter((text) => text !== "");
      return value + (remarks.length === 0 ? "" : ` (${remarks.join("; ")})`);
    });
    return [...cells, ...(commands ? [row.command === undefined ? "" : `\`${row.command}\``] : [])];
  });
  const table = [titles, rules, ...lines].map((cells) => `| ${cells.map(escapePipe).join(" | ")} |\n`).join("");
  return command === undefined ? table : `${table}\n\`${command}\`\n`;
}

function escapePipe(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
