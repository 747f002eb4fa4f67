/**
 * The table behind a figure, written beside it as CSV (for people) and Arrow (for programs). Columns are declared, so
 * their order and types do not depend on which rows happen to be there.
 */
import {
  Table as ArrowTable,
  Bool,
  DataType,
  Field,
  Float64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  tableFromIPC,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { stringify } from "csv-stringify/sync";

export type ColumnType = "number" | "string" | "boolean";
export type Cell = number | string | boolean | null;

export interface Table<Row extends object = Record<string, unknown>> {
  readonly columns: Readonly<Record<keyof Row & string, ColumnType>>;
  readonly rows: readonly Row[];
}

/** CSV with a header line; an absent value is an empty field, numbers are written so that they read back exactly. */
export function tableToCsv(table: Table): string {
  const names = Object.keys(table.columns);
  const lines = table.rows.map((row) => names.map((name) => csvField(row[name])));
  return stringify([names, ...lines]);
}

function csvField(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}

const ARROW_TYPES: Record<ColumnType, () => DataType> = {
  number: () => new Float64(),
  string: () => new Utf8(),
  boolean: () => new Bool(),
};

/** An Arrow IPC file; `metadata` (run names, commit, ...) travels in its schema. */
export function tableToArrow(table: Table, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const vectors = Object.entries(table.columns).map(([name, type]) => ({
    field: new Field(name, ARROW_TYPES[type](), true),
    vector: vectorFromArray(
      table.rows.map((row) => row[name] ?? null),
      ARROW_TYPES[type](),
    ),
  }));
  const fields = vectors.map(({ field }) => field);
  const schema = new Schema(fields, new Map(Object.entries(metadata)));
  const data = makeData({
    type: new Struct(fields),
    length: table.rows.length,
    nullCount: 0,
    children: vectors.map(({ vector }) => vector.data[0]!),
  });
  return tableToIPC(new ArrowTable(schema, [new RecordBatch(schema, data)]), "file");
}

/** Reads what `tableToArrow` wrote. */
export function tableFromArrow(bytes: Uint8Array): { table: Table; metadata: Record<string, string> } {
  const arrow = tableFromIPC(bytes);
  const columns: Record<string, ColumnType> = {};
  for (const field of arrow.schema.fields) {
    columns[field.name] = DataType.isFloat(field.type) ? "number" : DataType.isBool(field.type) ? "boolean" : "string";
  }
  const rows = arrow.toArray().map((row) => ({ ...row.toJSON() }) as Record<string, unknown>);
  return { table: { columns, rows }, metadata: Object.fromEntries(arrow.schema.metadata) };
}
