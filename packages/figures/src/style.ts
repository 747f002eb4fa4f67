/**
 * How all figures look: one typeface, thin axes, no frames, a palette in which our subject has the one strong colour.
 * Sizes are CSS pixels; a figure as wide as an ICLR text column (5.5 in) is 528 pixels wide, so 10 pixels are 7.5 pt.
 */
import type { Config } from "vega-lite";
import { FONT_FAMILY } from "./render/fonts.js";

/** Width of the text column of the paper. */
export const COLUMN_WIDTH = 528;

export const INK = "#1f2328";
export const MUTED = "#6b7280";
export const RULE = "#d4d7dc";
export const FAINT = "#eceef1";
export const PAPER = "#ffffff";

interface ModelStyle {
  readonly label: string;
  readonly colour: string;
  readonly shape: string;
}

/**
 * Colours differ in lightness as well as hue, so they stay apart in print without colour; shapes differ too. Ordered
 * as they are listed in legends and tables.
 */
export const MODEL_STYLES = {
  "memory-mosaic": { label: "Memory Mosaic", colour: "#a8143a", shape: "circle" },
  "memory-mosaic-v2": { label: "Memory Mosaic v2", colour: "#ec7a08", shape: "diamond" },
  gpt2: { label: "GPT-2", colour: "#4a90dd", shape: "square" },
  transformer: { label: "Transformer", colour: "#4a90dd", shape: "square" },
  "modern-transformer": { label: "Transformer, modern", colour: "#8fbcf0", shape: "square" },
  mamba: { label: "Mamba", colour: "#1b7f5c", shape: "triangle-up" },
  "linear-transformer": { label: "Linear Transformer", colour: "#8a63d2", shape: "triangle-down" },
  hyena: { label: "Hyena", colour: "#c58a00", shape: "diamond" },
  h3: { label: "H3", colour: "#7a5230", shape: "cross" },
  lstm: { label: "LSTM", colour: "#3f4650", shape: "triangle-right" },
  rwkv: { label: "RWKV", colour: "#d0579b", shape: "triangle-left" },
  s4d: { label: "S4", colour: "#4aa3a8", shape: "diamond" },
  retnet: { label: "RetNet", colour: "#8b9a1f", shape: "cross" },
  gla: { label: "GLA", colour: "#8d6e8f", shape: "triangle-up" },
  "2-gram": { label: "2-gram", colour: MUTED, shape: "stroke" },
  "3-gram": { label: "3-gram", colour: MUTED, shape: "stroke" },
  "4-gram": { label: "4-gram", colour: MUTED, shape: "stroke" },
  bayes: { label: "Bayes-optimal", colour: MUTED, shape: "stroke" },
  "bayes-told-states": { label: "Bayes, told the states", colour: MUTED, shape: "stroke" },
  "baum-welch": { label: "Baum-Welch", colour: MUTED, shape: "stroke" },
  "baum-welch-published-counting": { label: "Baum-Welch as published", colour: MUTED, shape: "stroke" },
} as const satisfies Record<string, ModelStyle>;

/** The style of a model, also of one that a researcher added under a name not listed here. */
export function modelStyle(model: string): ModelStyle {
  return (
    (MODEL_STYLES as Readonly<Record<string, ModelStyle>>)[model] ?? { label: model, colour: MUTED, shape: "circle" }
  );
}

/** The models of some rows in the order of the palette. */
export function modelOrder(models: Iterable<string>): string[] {
  const known = Object.keys(MODEL_STYLES);
  const rank = (model: string) => (known.includes(model) ? known.indexOf(model) : known.length);
  return [...new Set(models)].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

/** Colour scale over the labels of these models. */
export function modelColours(models: Iterable<string>): { domain: string[]; range: string[] } {
  const order = modelOrder(models);
  return { domain: order.map((m) => modelStyle(m).label), range: order.map((m) => modelStyle(m).colour) };
}

/** Shape scale over the labels of these models. */
export function modelShapes(models: Iterable<string>): { domain: string[]; range: string[] } {
  const order = modelOrder(models);
  return { domain: order.map((m) => modelStyle(m).label), range: order.map((m) => modelStyle(m).shape) };
}

export const figureConfig: Config = {
  background: PAPER,
  font: FONT_FAMILY,
  padding: 6,
  view: { stroke: null },
  axis: {
    domainColor: MUTED,
    domainWidth: 0.75,
    grid: true,
    gridColor: FAINT,
    gridWidth: 0.75,
    labelColor: INK,
    labelFontSize: 10,
    labelPadding: 3,
    tickColor: MUTED,
    tickSize: 3,
    tickWidth: 0.75,
    titleColor: INK,
    titleFontSize: 10.5,
    titleFontWeight: 400,
    titlePadding: 6,
  },
  axisX: { grid: false, labelFlush: false },
  axisY: { titleLimit: 0 },
  header: { labelColor: INK, labelFontSize: 10.5, labelFontWeight: 600, labelPadding: 4, title: null },
  legend: {
    labelColor: INK,
    labelFontSize: 10.5,
    titleColor: INK,
    titleFontSize: 10.5,
    titleFontWeight: 600,
    symbolStrokeWidth: 1.75,
    symbolSize: 60,
    symbolOpacity: 1,
    labelLimit: 0,
    orient: "top",
    direction: "horizontal",
    offset: 8,
    columnPadding: 14,
    rowPadding: 3,
  },
  title: {
    color: INK,
    fontSize: 11,
    fontWeight: 600,
    anchor: "start",
    frame: "group",
    offset: 8,
    subtitleColor: MUTED,
    subtitleFontSize: 10,
  },
  line: { strokeWidth: 1.75, strokeCap: "round", strokeJoin: "round" },
  point: { size: 36, strokeWidth: 1.25, opacity: 1 },
  rule: { strokeWidth: 1 },
  text: { fontSize: 10, color: INK },
  concat: { spacing: 22 },
  facet: { spacing: 14 },
};

/** White behind letters that stand among curves: drawn first, under the same text. */
export const HALO = { stroke: PAPER, strokeWidth: 3, strokeJoin: "round" } as const;

/** Blocks from the first (light) to the last (dark), in figures that show every head. */
export function blockColour(blocks: number): Record<string, unknown> {
  return {
    field: "block",
    type: "quantitative",
    scale: { domain: [1, Math.max(2, blocks)], range: ["#f6c343", "#d9566b", "#5b2a86"] },
    legend:
      blocks === 1
        ? null
        : {
            gradientLength: 90,
            gradientThickness: 8,
            gradientOpacity: 1,
            tickMinStep: 1,
            tickCount: 4,
            titlePadding: 4,
          },
  };
}

/** 1, 2, 5, 10, … between two positive numbers; powers of ten alone where these would crowd. */
export function logTicks(low: number, high: number): number[] {
  const decades = Math.log10(high / low);
  const steps = decades > 2 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const step of steps) ticks.push(Number(`${step}e${power}`));
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}

/** Counts on an axis: 500, 2,000, 20k. */
export const COUNT_LABELS = "datum.value >= 10000 ? datum.value / 1000 + 'k' : format(datum.value, ',')";

/** A legend of short thick strokes, for figures whose curves differ by colour. */
export const STROKE_LEGEND = { symbolType: "stroke", symbolSize: 160, symbolStrokeWidth: 2.5 } as const;
