/** JSON records from a stream: one per line, or the elements of one big array, without holding the file in memory. */
import { UserError } from "@mm/run";
import { lines } from "./split-text.js";

export interface JsonRecord {
  readonly value: unknown;
  /** "file:line", for messages. */
  readonly where: string;
}

/**
 * JSON lines or a JSON array, told apart by the first character; empty lines are left out.
 *
 * @throws UserError with file and line for malformed JSON
 */
export async function* jsonRecords(text: AsyncIterable<Buffer>, path: string): AsyncGenerator<JsonRecord> {
  const iterator = text[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) return;
  const all = (async function* () {
    yield first.value;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  })();
  const begin = first.value.find((byte) => byte > 0x20);
  if (begin === 0x5b) yield* arrayElements(all, path);
  else yield* jsonLines(all, path);
}

async function* jsonLines(text: AsyncIterable<Buffer>, path: string): AsyncGenerator<JsonRecord> {
  for await (const { line, number } of lines(text)) {
    if (line.every((byte) => byte <= 0x20)) continue;
    yield { value: parse(line, `${path}:${number}`), where: `${path}:${number}` };
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Follows brackets and strings to find where each element of the outer array ends. */
async function* arrayElements(text: AsyncIterable<Buffer>, path: string): AsyncGenerator<JsonRecord> {
  let depth = 0;
  let inString = false;
  let escaped = false;
  let line = 1;
  let element: Buffer[] = [];
  const take = (where: string): JsonRecord[] => {
    const bytes = Buffer.concat(element);
    element = [];
    return bytes.every((byte) => byte <= 0x20) ? [] : [{ value: parse(bytes, where), where }];
  };
  for await (const piece of text) {
    let start = 0;
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at]!;
      if (byte === 0x0a) line++;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
        continue;
      }
      if (byte === QUOTE) inString = true;
      else if (byte === 0x5b || byte === 0x7b) {
        if (depth === 0) start = at + 1;
        depth++;
      } else if (byte === 0x5d || byte === 0x7d) {
        depth--;
        if (depth === 0) {
          element.push(piece.subarray(start, at));
          yield* take(`${path}:${line}`);
          start = at + 1;
        }
      } else if (byte === 0x2c && depth === 1) {
        element.push(piece.subarray(start, at));
        yield* take(`${path}:${line}`);
        start = at + 1;
      }
    }
    if (depth > 0) element.push(Buffer.from(piece.subarray(start)));
  }
  if (depth !== 0) {
    throw new UserError(`Expected the end of the JSON array in ${path} but the file stops at line ${line}.`, {
      hint: "The file is cut short; fetch it again.",
    });
  }
}

function parse(bytes: Buffer, where: string): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new UserError(`Expected JSON in ${where} but found: ${excerpt(bytes)} (${(error as Error).message}).`, {
      hint: "Correct or remove that line.",
    });
  }
}

function excerpt(bytes: Buffer): string {
  const text = bytes.toString("utf8").trim();
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/**
 * The text of a record: the record itself when it is a string, or one of its fields ("a.b" for a field of a field).
 *
 * @throws UserError when the field is missing or no string
 */
export function textField({ value, where }: JsonRecord, field: string): string {
  if (typeof value === "string") return value;
  let found: unknown = value;
  for (const name of field.split(".")) {
    found = typeof found === "object" && found !== null ? (found as Record<string, unknown>)[name] : undefined;
  }
  if (typeof found === "string") return found;
  const fields = typeof value === "object" && value !== null ? Object.keys(value).join(", ") : typeof value;
  throw new UserError(
    `Expected text in the field "${field}" in ${where} but found ${found === undefined ? "no such field" : typeof found}.`,
    { hint: `Name the field that holds the text; there are: ${fields || "none"}.` },
  );
}
