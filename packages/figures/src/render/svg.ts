/** Vega-Lite specification to SVG text, with the origin of the figure inside. */
import { type LoggerInterface, parse, resetSVGDefIds, View, Warn } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Drawing } from "../figure.js";
import { figureConfig } from "../style.js";
import { measureTextInInter } from "./fonts.js";
import type { FigureMetadata } from "./metadata.js";

/**
 * Draws a specification in the style of all figures. The same specification always gives the same text.
 *
 * @throws Error on any warning of Vega-Lite or Vega, such as a misspelt property or an empty scale
 */
export async function renderSvg(drawing: Drawing, metadata: FigureMetadata): Promise<string> {
  measureTextInInter();
  resetSVGDefIds();
  const logger = strictLogger(metadata.figure);
  const { spec } = compile(drawing as unknown as TopLevelSpec, { config: figureConfig, logger });
  const view = new View(parse(spec), { renderer: "none", logger });
  try {
    return describe(await view.toSVG(), metadata);
  } finally {
    view.finalize();
  }
}

function strictLogger(figure: string): LoggerInterface {
  const fail = (...messages: readonly unknown[]): never => {
    throw new Error(`Figure ${figure} is not drawn as specified: ${messages.join(" ")}`);
  };
  const logger: LoggerInterface = {
    level: (() => Warn) as LoggerInterface["level"],
    error: fail,
    warn: fail,
    info: () => logger,
    debug: () => logger,
  };
  return logger;
}

/** Title for screen readers, and where the numbers come from, as the first children of the root element. */
function describe(svg: string, metadata: FigureMetadata): string {
  const { title, ...origin } = metadata;
  const facts = Object.entries(origin).map(([key, value]) => `<mm:${key}>${escapeXml(value)}</mm:${key}>`);
  return (
    svg
      .replace(/ (aria-[a-z]+|role)="[^"]*"/g, "")
      // A dash scale needs a pattern for "solid" too; PDF has none with a gap of zero.
      .replaceAll(' stroke-dasharray="1,0"', "")
      .replace(
        /^<svg ([^>]*)>/,
        (_, attributes: string) =>
          `<svg ${attributes} role="img"><title>${escapeXml(title)}</title>` +
          `<metadata xmlns:mm="urn:memory-mosaics:figure">${facts.join("")}</metadata>`,
      )
  );
}

/** Text as XML or HTML content or attribute value. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
