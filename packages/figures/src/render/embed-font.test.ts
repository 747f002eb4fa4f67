import { readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { subsetFont } from "./embed-font.js";
import { FONT_FILES, textWidth } from "./fonts.js";

/** The tables of a WOFF file, unpacked. */
function unpack(woff: Buffer): Map<string, Buffer> {
  return new Map(
    Array.from({ length: woff.readUInt16BE(12) }, (_, index) => {
      const entry = 44 + 20 * index;
      const [offset, packed, length] = [4, 8, 12].map((at) => woff.readUInt32BE(entry + at)) as [
        number,
        number,
        number,
      ];
      const body = woff.subarray(offset, offset + packed);
      return [woff.toString("latin1", entry, entry + 4), packed < length ? inflateSync(body) : body] as const;
    }),
  );
}

describe("subsetFont", () => {
  const font = readFileSync(FONT_FILES[400]);
  const woff = Buffer.from(subsetFont(font, "éAλ±A"));
  const tables = unpack(woff);

  it("maps each character once, in the order of their codes", () => {
    const cmap = tables.get("cmap")!;
    const codes = Array.from({ length: cmap.readUInt32BE(24) }, (_, index) => cmap.readUInt32BE(28 + 12 * index));
    expect(String.fromCodePoint(...codes)).toBe("A±éλ");
  });
  it("keeps the outlines of its characters, and of the parts of composed ones, and empties the rest", () => {
    const loca = tables.get("loca")!;
    const filled = Array.from({ length: loca.length / 4 - 1 }, (_, glyph) => glyph).filter(
      (glyph) => loca.readUInt32BE(4 * glyph) < loca.readUInt32BE(4 * glyph + 4),
    );
    expect(loca.length / 4 - 1).toBe(tables.get("maxp")!.readUInt16BE(4));
    expect(filled.length).toBeGreaterThanOrEqual(5); // four characters and the glyph for missing ones
    expect(filled.length).toBeLessThan(9);
    expect(loca.readUInt32BE(loca.length - 4)).toBe(tables.get("glyf")!.length);
  });
  it("is small, and says its own length", () => {
    expect(woff.length).toBeLessThan(12_000);
    expect(woff.readUInt32BE(8)).toBe(woff.length);
    expect(woff.toString("latin1", 0, 4)).toBe("wOFF");
  });
});

describe("textWidth", () => {
  it("grows with the size of the type and is wider in semi-bold", () => {
    expect(textWidth("Memory Mosaic", 20)).toBeCloseTo(2 * textWidth("Memory Mosaic", 10), 6);
    expect(textWidth("Memory Mosaic", 10, 600)).toBeGreaterThan(textWidth("Memory Mosaic", 10));
  });
});
