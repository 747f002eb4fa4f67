/**
 * Puts the glyphs of Inter that an SVG uses into the SVG, so that it looks the same where Inter is not installed. The
 * subset keeps the glyph numbers of the original and empties all others, which compresses to almost nothing:
 *
 *   TrueType: glyf holds the outlines, loca their offsets by glyph number, cmap maps characters to glyph numbers
 *   WOFF: the same tables, each compressed with zlib
 *
 * References: OpenType specification 1.9 (tables), W3C WOFF 1.0.
 */
import { readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import { FONT_FAMILY, FONT_FILES, type FontWeight } from "./fonts.js";

/** The SVG with a style element that carries its fonts; a weight that it does not use is left out. */
export function embedFont(svg: string): string {
  const texts: Record<FontWeight, string> = { 400: "", 600: "" };
  for (const [, attributes, text] of svg.matchAll(/<text([^>]*)>([^<]*)</g)) {
    texts[/font-weight="(600|bold)"/.test(attributes!) ? 600 : 400] += unescapeXml(text!);
  }
  return svg.replace("</metadata>", () => `</metadata><style>${fontFaces(texts)}</style>`);
}

/** An HTML page with both weights of its fonts, for all the characters between its tags. */
export function embedFontInPage(page: string): string {
  const text = unescapeXml(page.replace(/<style>.*?<\/style>/gs, "").replace(/<[^>]*>/g, ""));
  return page.replace("</head>", () => `<style>${fontFaces({ 400: text, 600: text })}</style>\n</head>`);
}

function fontFaces(texts: Readonly<Record<FontWeight, string>>): string {
  const faces = Object.entries(FONT_FILES).map(([name, file]) => {
    const text = texts[Number(name) as FontWeight];
    if (text === "") return "";
    const woff = subsetFont(readFileSync(file), text);
    const source = `url(data:font/woff;base64,${Buffer.from(woff).toString("base64")}) format("woff")`;
    return `@font-face{font-family:"${FONT_FAMILY}";font-weight:${name};src:${source}}`;
  });
  return faces.join("");
}

function unescapeXml(text: string): string {
  const named: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => named[name]!);
}

/** A WOFF font with the glyphs of `text` only. */
export function subsetFont(font: Buffer, text: string): Uint8Array {
  const tables = readTables(font);
  const glyphOf = readCharacterMap(tables.get("cmap")!);
  const characters = [...new Set(text)].map((character) => character.codePointAt(0)!).sort((a, b) => a - b);
  const mapped = characters.map((code) => [code, glyphOf(code)] as const).filter(([, glyph]) => glyph !== 0);
  const { glyf, loca } = keepGlyphs(tables, [0, ...mapped.map(([, glyph]) => glyph)]);
  const head = Buffer.from(tables.get("head")!);
  head.writeInt16BE(1, 50); // indexToLocFormat: offsets of 32 bits
  const post = Buffer.from(tables.get("post")!.subarray(0, 32));
  post.writeUInt32BE(0x00030000, 0); // version 3: no glyph names
  return writeWoff({
    "OS/2": tables.get("OS/2")!,
    cmap: writeCharacterMap(mapped),
    glyf,
    head,
    hhea: tables.get("hhea")!,
    hmtx: tables.get("hmtx")!,
    loca,
    maxp: tables.get("maxp")!,
    name: tables.get("name")!,
    post,
  });
}

function readTables(font: Buffer): Map<string, Buffer> {
  const count = font.readUInt16BE(4);
  return new Map(
    Array.from({ length: count }, (_, index) => {
      const entry = 12 + 16 * index;
      const offset = font.readUInt32BE(entry + 8);
      return [font.toString("latin1", entry, entry + 4), font.subarray(offset, offset + font.readUInt32BE(entry + 12))];
    }),
  );
}

/** Character code to glyph number, by the subtable of format 12 (segments) or else format 4 (segments, 16 bits). */
function readCharacterMap(cmap: Buffer): (code: number) => number {
  const count = cmap.readUInt16BE(2);
  const subtables = Array.from({ length: count }, (_, index) => cmap.subarray(cmap.readUInt32BE(8 + 8 * index)));
  const wide = subtables.find((subtable) => subtable.readUInt16BE(0) === 12);
  if (wide !== undefined) {
    return (code) => {
      for (let at = 16, end = 16 + 12 * wide.readUInt32BE(12); at < end; at += 12) {
        const first = wide.readUInt32BE(at);
        if (code >= first && code <= wide.readUInt32BE(at + 4)) return wide.readUInt32BE(at + 8) + code - first;
      }
      return 0;
    };
  }
  const narrow = subtables.find((subtable) => subtable.readUInt16BE(0) === 4);
  if (narrow === undefined) throw new Error("Expected a character map of format 4 or 12 in the font.");
  const twice = narrow.readUInt16BE(6); // twice the number of segments
  return (code) => {
    for (let at = 0; at < twice; at += 2) {
      if (code > narrow.readUInt16BE(14 + at)) continue;
      const first = narrow.readUInt16BE(16 + twice + at);
      if (code < first) return 0;
      const shift = narrow.readUInt16BE(16 + 2 * twice + at);
      const place = 16 + 3 * twice + at;
      const range = narrow.readUInt16BE(place);
      if (range === 0) return (code + shift) & 0xffff;
      const glyph = narrow.readUInt16BE(place + range + 2 * (code - first));
      return glyph === 0 ? 0 : (glyph + shift) & 0xffff;
    }
    return 0;
  };
}

/** A character map with one subtable of format 12, one group per character. */
function writeCharacterMap(mapped: readonly (readonly [code: number, glyph: number])[]): Buffer {
  const cmap = Buffer.alloc(12 + 16 + 12 * mapped.length);
  cmap.writeUInt16BE(1, 2); // one subtable: platform 3 (Windows), encoding 10 (full Unicode), at byte 12
  cmap.writeUInt16BE(3, 4);
  cmap.writeUInt16BE(10, 6);
  cmap.writeUInt32BE(12, 8);
  cmap.writeUInt16BE(12, 12);
  cmap.writeUInt32BE(16 + 12 * mapped.length, 16);
  cmap.writeUInt32BE(mapped.length, 24);
  mapped.forEach(([code, glyph], index) => {
    cmap.writeUInt32BE(code, 28 + 12 * index);
    cmap.writeUInt32BE(code, 32 + 12 * index);
    cmap.writeUInt32BE(glyph, 36 + 12 * index);
  });
  return cmap;
}

/** Outlines of the wanted glyphs and of the parts they are composed of; every other glyph becomes empty. */
function keepGlyphs(tables: ReadonlyMap<string, Buffer>, wanted: readonly number[]): { glyf: Buffer; loca: Buffer } {
  const [glyf, loca, head, maxp] = ["glyf", "loca", "head", "maxp"].map((name) => tables.get(name)!) as [
    Buffer,
    Buffer,
    Buffer,
    Buffer,
  ];
  const long = head.readInt16BE(50) === 1;
  const offset = (glyph: number) => (long ? loca.readUInt32BE(4 * glyph) : 2 * loca.readUInt16BE(2 * glyph));
  const outline = (glyph: number) => glyf.subarray(offset(glyph), offset(glyph + 1));
  const kept = new Set(wanted);
  for (const glyph of kept) for (const part of partsOf(outline(glyph))) kept.add(part);
  const count = maxp.readUInt16BE(4);
  const offsets = Buffer.alloc(4 * (count + 1));
  const outlines: Buffer[] = [];
  let end = 0;
  for (let glyph = 0; glyph < count; glyph++) {
    offsets.writeUInt32BE(end, 4 * glyph);
    if (!kept.has(glyph)) continue;
    const padded = Buffer.alloc(Math.ceil(outline(glyph).length / 4) * 4);
    outline(glyph).copy(padded);
    outlines.push(padded);
    end += padded.length;
  }
  offsets.writeUInt32BE(end, 4 * count);
  return { glyf: Buffer.concat(outlines), loca: offsets };
}

/** Glyph numbers in a composite outline (negative number of contours). */
function partsOf(outline: Buffer): number[] {
  if (outline.length === 0 || outline.readInt16BE(0) >= 0) return [];
  const parts: number[] = [];
  for (let at = 10, more = true; more; ) {
    const flags = outline.readUInt16BE(at);
    parts.push(outline.readUInt16BE(at + 2));
    const scale = flags & 0x08 ? 2 : flags & 0x40 ? 4 : flags & 0x80 ? 8 : 0;
    at += 4 + (flags & 0x01 ? 4 : 2) + scale;
    more = (flags & 0x20) !== 0;
  }
  return parts;
}

/** @param tables in the order of their names, as WOFF wants them */
function writeWoff(tables: Readonly<Record<string, Buffer>>): Uint8Array {
  const names = Object.keys(tables);
  const header = Buffer.alloc(44 + 20 * names.length);
  const bodies: Buffer[] = [];
  let at = header.length;
  let unpacked = 12 + 16 * names.length;
  for (const [index, name] of names.entries()) {
    const table = tables[name]!;
    const deflated = deflateSync(table, { level: 9 });
    const body = deflated.length < table.length ? deflated : table;
    const entry = 44 + 20 * index;
    header.write(name.padEnd(4), entry, "latin1");
    header.writeUInt32BE(at, entry + 4);
    header.writeUInt32BE(body.length, entry + 8);
    header.writeUInt32BE(table.length, entry + 12);
    header.writeUInt32BE(checksum(table, name), entry + 16);
    bodies.push(body, Buffer.alloc(-body.length & 3));
    at += body.length + (-body.length & 3);
    unpacked += table.length + (-table.length & 3);
  }
  header.write("wOFF", 0, "latin1");
  header.writeUInt32BE(0x00010000, 4); // TrueType outlines
  header.writeUInt32BE(at, 8);
  header.writeUInt16BE(names.length, 12);
  header.writeUInt32BE(unpacked, 16);
  header.writeUInt16BE(1, 20);
  return Buffer.concat([header, ...bodies]);
}

/** Sum of the table's 32-bit words; the head table is summed without its own adjustment field. */
function checksum(table: Buffer, name: string): number {
  const padded = Buffer.alloc(Math.ceil(table.length / 4) * 4);
  table.copy(padded);
  if (name === "head") padded.writeUInt32BE(0, 8);
  let sum = 0;
  for (let at = 0; at < padded.length; at += 4) sum = (sum + padded.readUInt32BE(at)) >>> 0;
  return sum;
}
