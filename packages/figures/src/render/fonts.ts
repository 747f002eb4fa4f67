/**
 * The one typeface of all figures, Inter (SIL Open Font License), read from its package: pictures look the same on a
 * machine without any font. Vega guesses text widths when there is no canvas; here it measures them in the real font,
 * so legends and labels are laid out exactly.
 */
import { createRequire } from "node:module";
import PDFDocument from "pdfkit";
import * as vega from "vega";

export const FONT_FAMILY = "Inter";

const require = createRequire(import.meta.url);

/** The two weights that figures use, by CSS font weight. */
export const FONT_FILES = {
  400: require.resolve("@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf"),
  600: require.resolve("@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf"),
} as const;

export type FontWeight = keyof typeof FONT_FILES;

/** The weight that draws a CSS `font-weight`: everything from 600 up, and "bold", is semi-bold. */
export function fontWeight(weight: string | number | undefined): FontWeight {
  return weight === "bold" || Number(weight) >= 600 ? 600 : 400;
}

interface TextItem {
  readonly text?: unknown;
  readonly fontSize?: number;
  readonly fontWeight?: string | number;
}

let ruler: PDFDocument | undefined;

/** Width in pixels of one line of text. */
export function textWidth(text: string, fontSize: number, weight: FontWeight = 400): number {
  if (ruler === undefined) {
    ruler = new PDFDocument({ autoFirstPage: false });
    for (const [name, file] of Object.entries(FONT_FILES)) ruler.registerFont(`${FONT_FAMILY}-${name}`, file);
  }
  return ruler.font(`${FONT_FAMILY}-${weight}`).fontSize(fontSize).widthOfString(text);
}

/** Makes Vega measure text in Inter, through the hook that its published types leave out. */
export function measureTextInInter(): void {
  const { textMetrics } = vega as unknown as { textMetrics: { width: (item: TextItem, text?: unknown) => number } };
  textMetrics.width = (item: TextItem, text: unknown = item.text) =>
    textWidth(String(text ?? ""), item.fontSize ?? 11, fontWeight(item.fontWeight));
}
