/** SVG to a one-page PDF with the used glyphs of Inter embedded; text stays text. */
import PDFDocument from "pdfkit";
import SVGtoPDF from "svg-to-pdfkit";
import { FONT_FILES } from "./fonts.js";
import type { FigureMetadata } from "./metadata.js";

const POINTS_PER_PIXEL = 72 / 96;

export async function renderPdf(svg: string, metadata: FigureMetadata): Promise<Uint8Array> {
  const [width, height] = sizeInPixels(svg).map((pixels) => pixels * POINTS_PER_PIXEL) as [number, number];
  const document = new PDFDocument({
    size: [width, height],
    margin: 0,
    info: {
      Title: metadata.title,
      Creator: "mm",
      Subject: `Runs: ${metadata.runs || "none"}. Commits: ${metadata.commits || "none"}. Command: ${metadata.command}`,
      // No date of drawing: the same rows give the same file.
      CreationDate: new Date(0),
    },
  });
  for (const [weight, file] of Object.entries(FONT_FILES)) document.registerFont(`Inter-${weight}`, file);
  const chunks: Uint8Array[] = [];
  const finished = new Promise<void>((resolve, reject) => {
    document
      .on("data", (chunk) => chunks.push(chunk))
      .on("end", resolve)
      .on("error", reject);
  });
  SVGtoPDF(document, svg, 0, 0, {
    width,
    height,
    fontCallback: (_family, bold) => (bold ? "Inter-600" : "Inter-400"),
  });
  document.end();
  await finished;
  return Buffer.concat(chunks);
}

function sizeInPixels(svg: string): [width: number, height: number] {
  const size = /<svg [^>]*?width="([\d.]+)" height="([\d.]+)"/.exec(svg);
  if (size === null) throw new Error("Expected an SVG with a width and a height in pixels.");
  return [Number(size[1]), Number(size[2])];
}
