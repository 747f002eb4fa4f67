/** SVG to PNG with the figure's metadata in text chunks. */
import { crc32 } from "node:zlib";
import { Resvg } from "@resvg/resvg-js";
import { FONT_FAMILY, FONT_FILES } from "./fonts.js";
import type { FigureMetadata } from "./metadata.js";

/** Pixels of the PNG for each pixel of the SVG: 3 gives 288 dots per inch at the size the SVG is meant for. */
const SCALE = 3;

export function renderPng(svg: string, metadata: FigureMetadata): Uint8Array {
  const image = new Resvg(svg, {
    fitTo: { mode: "zoom", value: SCALE },
    background: "white",
    font: { loadSystemFonts: false, fontFiles: Object.values(FONT_FILES), defaultFontFamily: FONT_FAMILY },
  });
  return withTextChunks(image.render().asPng(), metadata);
}

const SIGNATURE_LENGTH = 8;
const HEADER_CHUNK_LENGTH = 25; // length 4 · "IHDR" 4 · data 13 · checksum 4

/** Inserts one international text chunk (iTXt, PNG specification 11.3.3.4) per entry right after the header chunk. */
function withTextChunks(png: Uint8Array, texts: Readonly<Record<string, string>>): Uint8Array {
  const at = SIGNATURE_LENGTH + HEADER_CHUNK_LENGTH;
  const chunks = Object.entries(texts).map(([keyword, text]) => {
    // keyword, zero; not compressed (0 0); empty language and translated keyword; UTF-8 text
    const body = Buffer.from(`iTXt${keyword}\0\0\0\0\0${text}`, "utf8");
    const chunk = Buffer.alloc(body.length + 8);
    chunk.writeUInt32BE(body.length - 4, 0);
    body.copy(chunk, 4);
    chunk.writeUInt32BE(crc32(body), body.length + 4);
    return chunk;
  });
  return Buffer.concat([png.subarray(0, at), ...chunks, png.subarray(at)]);
}
