/** Text files of any size as pieces of valid UTF-8, unpacked where they are gzip files, with their checksum. */
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { explainFileError, UserError } from "@mm/run";
import type { SourceContext } from "../sources/source.js";
import { STANDARD_INPUT } from "./inputs.js";

const CHUNK = 1 << 20;

/** Tells the size of all files together, where none comes from the standard input. */
export function expectFiles(files: readonly string[], context: Pick<SourceContext, "expectBytes">): void {
  if (files.includes(STANDARD_INPUT) || files.some((file) => file.endsWith(".gz"))) return;
  context.expectBytes(files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0));
}

/**
 * The content of a file, or of the standard input for "-", in pieces that end between characters. A byte order mark at
 * the start is left out.
 *
 * @throws UserError for a missing file, a damaged gzip file, or bytes that are no UTF-8
 */
export async function* readText(path: string, context: SourceContext): AsyncGenerator<Buffer> {
  const place = path === STANDARD_INPUT ? "the standard input" : path;
  let line = 1;
  let offset = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of unpacked(path, place, context)) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = bytes.length - unfinished(bytes);
    const piece = bytes.subarray(0, end);
    if (!isUtf8(piece)) throw noUtf8(piece, place, line, offset);
    rest = Buffer.from(bytes.subarray(end));
    const start = offset === 0 && piece[0] === 0xef && piece[1] === 0xbb && piece[2] === 0xbf ? 3 : 0;
    line += countLines(piece);
    offset += piece.length;
    if (piece.length > start) yield piece.subarray(start);
  }
  if (rest.length > 0) throw noUtf8(rest, place, line, offset);
}

async function* unpacked(path: string, place: string, context: SourceContext): AsyncGenerator<Buffer> {
  const file = path === STANDARD_INPUT ? process.stdin : createReadStream(path, { highWaterMark: CHUNK });
  const hash = createHash("sha256");
  let size = 0;
  async function* raw() {
    for await (const chunk of file as AsyncIterable<Buffer>) {
      if (context.signal?.aborted) throw new UserError("The build was interrupted; nothing was kept.");
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  }
  try {
    const chunks = raw();
    const first = await chunks.next();
    if (!first.done)
      yield* first.value[0] === 0x1f && first.value[1] === 0x8b
        ? gunzip(first.value, chunks)
        : whole(first.value, chunks);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (!code.startsWith("Z_")) throw explainFileError(error, path);
    throw new UserError(`Expected a gzip file in ${place} but could not unpack it: ${(error as Error).message}.`, {
      hint: "The file is damaged or cut short; fetch it again.",
      cause: error,
    });
  } finally {
    (file as Readable).destroy();
  }
  context.noteFile({ path: place, bytes: size, sha256: hash.digest("hex") });
}

async function* whole(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

async function* gunzip(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const { Readable } = await import("node:stream");
  const { pipeline } = await import("node:stream/promises");
  const unzip = createGunzip({ chunkSize: CHUNK });
  const done = pipeline(Readable.from(whole(first, rest)), unzip);
  done.catch(() => {});
  for await (const chunk of unzip as AsyncIterable<Buffer>) yield chunk;
  await done;
}

/** Bytes at the end that begin a character which is not complete yet. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}

/** Finds the first wrong byte for the message. */
function noUtf8(bytes: Buffer, place: string, line: number, offset: number): UserError {
  let good = 0;
  let bad = bytes.length;
  // The longest valid beginning, by bisection over beginnings cut between characters.
  while (good < bad) {
    const middle = (good + bad + 1) >> 1;
    const head = bytes.subarray(0, middle);
    if (isUtf8(head.subarray(0, head.length - unfinished(head)))) good = middle;
    else bad = middle - 1;
  }
  const at = Math.max(0, good - unfinished(bytes.subarray(0, good)));
  const value = bytes[at]!.toString(16).padStart(2, "0");
  const where = `${place}, line ${line + countLines(bytes.subarray(0, at))}, byte ${offset + at}`;
  const utf16 = offset === 0 && (bytes[0] ?? 0) >= 0xfe && (bytes[1] ?? 0) >= 0xfe;
  return new UserError(`Expected UTF-8 text but found the byte 0x${value} in ${where}.`, {
    hint: `Convert the file first, for example: iconv -f ${utf16 ? "utf-16" : "latin1"} -t utf-8 FILE > NEW`,
  });
}
