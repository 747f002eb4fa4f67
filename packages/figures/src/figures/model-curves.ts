/** A plain panel: one curve per model, a band of one standard deviation over seeds where there are several. */
import { modelColours, modelOrder, modelStyle, STROKE_LEGEND } from "../style.js";

interface Axis {
  readonly field: string;
  readonly title: string;
  readonly log?: boolean;
  readonly domain?: readonly [number, number];
}

export interface PanelLayout {
  readonly x: Axis;
  readonly y: Axis;
  readonly width?: number;
  readonly height?: number;
  readonly title?: string;
  readonly points?: boolean;
  /** Models of the whole figure, where this panel shows only some of them; default: those of the rows. */
  readonly models?: readonly string[];
  /** Earlier models in broader lines, so that curves which coincide all show. */
  readonly nested?: boolean;
}

/** @param rows with the fields `model`, `deviation` and those of the axes */
export function modelCurves(
  rows: readonly { readonly model: string; readonly deviation: number | null }[],
  {
    x: across,
    y: up,
    width = 320,
    height = 200,
    title,
    points = true,
    models = modelsOf(rows),
    nested = false,
  }: PanelLayout,
): Record<string, unknown> {
  const order = modelOrder(models);
  const values = rows.map((row) => {
    const value = (row as unknown as Record<string, number>)[up.field]!;
    return {
      ...row,
      label: modelStyle(row.model).label,
      low: value - (row.deviation ?? 0),
      high: value + (row.deviation ?? 0),
    };
  });
  const x = {
    field: across.field,
    type: "quantitative",
    title: across.title,
    scale: { nice: false, ...(across.log ? { type: "log", base: 2 } : {}) },
    axis: { tickCount: 6, format: ",d" },
  };
  const y = {
    field: up.field,
    type: "quantitative",
    title: up.title,
    scale: up.domain ? { domain: up.domain, nice: false } : { zero: false },
  };
  const color = {
    field: "label",
    type: "nominal",
    scale: modelColours(models),
    title: null,
    legend: STROKE_LEGEND,
  };
  return {
    ...(title === undefined ? {} : { title }),
    width,
    height,
    data: { values },
    layer: [
      {
        mark: { type: "area", opacity: 0.2, clip: true },
        encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color },
      },
      ...(nested ? order : [undefined]).map((model, index) => ({
        ...(model === undefined ? {} : { transform: [{ filter: `datum.model === '${model}'` }] }),
        mark: {
          type: "line",
          point: points ? { size: 24 } : false,
          ...(nested ? { strokeWidth: Math.max(1.25, 6 - 2.5 * index) } : {}),
        },
        encoding: { x, y, color },
      })),
    ],
  };
}

function modelsOf(rows: readonly { readonly model: string }[]): string[] {
  return rows.map(({ model }) => model);
}
