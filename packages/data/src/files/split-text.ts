/** Cuts a stream of text into documents. */
import type { Document } from "../dataset/text-batch.js";

/** Documents between separators, without the white space around them; empty ones are left out. */
export async function* splitAt(text: AsyncIterable<Buffer>, separator: string): AsyncGenerator<Document> {
  const mark = Buffer.from(separator);
  let rest = Buffer.alloc(0);
  for await (const piece of text) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let start = 0;
    // What came before was searched already, but for the beginning of a separator at its end.
    let at = bytes.indexOf(mark, Math.max(0, rest.length - mark.length + 1));
    for (; at >= 0; at = bytes.indexOf(mark, start)) {
      const document = trim(bytes.subarray(start, at));
      if (document.length > 0) yield { text: document };
      start = at + mark.length;
    }
    rest = Buffer.from(bytes.subarray(start));
  }
  const document = trim(rest);
  if (document.length > 0) yield { text: document };
}

/** The lines of a text with their numbers, without the line ends. */
export async function* lines(text: AsyncIterable<Buffer>): AsyncGenerator<{ line: Buffer; number: number }> {
  let rest: Buffer[] = [];
  let number = 0;
  for await (const piece of text) {
    let start = 0;
    for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, start)) {
      const tail = piece.subarray(start, at);
      const line = rest.length === 0 ? tail : Buffer.concat([...rest, tail]);
      rest = [];
      yield { line: line.at(-1) === 13 ? line.subarray(0, -1) : line, number: ++number };
      start = at + 1;
    }
    if (start < piece.length) rest.push(Buffer.from(piece.subarray(start)));
  }
  if (rest.length > 0) yield { line: Buffer.concat(rest), number: ++number };
}

/**
 * Passages of at least `size` bytes that together are the whole text: each ends after an empty line if one comes soon,
 * otherwise after a line, otherwise in front of a blank.
 */
export async function* passages(text: AsyncIterable<Buffer>, size: number): AsyncGenerator<Document> {
  let rest = Buffer.alloc(0);
  for await (const piece of text) {
    let bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    while (bytes.length > 3 * size) {
      const end = passageEnd(bytes, size);
      yield { text: bytes.subarray(0, end) };
      bytes = bytes.subarray(end);
    }
    rest = Buffer.from(bytes);
  }
  while (rest.length > size) {
    const end = passageEnd(rest, size);
    yield { text: rest.subarray(0, end) };
    rest = rest.subarray(end);
  }
  if (trim(rest).length > 0) yield { text: rest };
}

function passageEnd(bytes: Buffer, size: number): number {
  const soon = 2 * size;
  const paragraph = bytes.indexOf("\n\n", size);
  if (paragraph >= 0 && paragraph < soon) return paragraph + 2;
  const line = bytes.indexOf("\n", size);
  if (line >= 0 && line < soon) return line + 1;
  const blank = bytes.indexOf(" ", size);
  if (blank >= 0 && blank < soon) return blank;
  // No white space at all: cut between characters.
  let end = Math.min(size, bytes.length);
  while (end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end++;
  return end;
}

/** Without the ASCII white space at both ends. */
export function trim(bytes: Buffer): Buffer {
  let start = 0;
  let end = bytes.length;
  while (start < end && bytes[start]! <= 0x20) start++;
  while (end > start && bytes[end - 1]! <= 0x20) end--;
  return bytes.subarray(start, end);
}
