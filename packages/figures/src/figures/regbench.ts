/**
 * Figure 9: RegBench accuracy and total variation against the number of training environments. Published points are
 * hollow, ours are filled with one standard deviation over seeds; a shortened protocol is drawn as a diamond with a
 * dashed line and says so. Models that we have not measured yet stay grey. Dotted lines are readers that need no
 * training: n-grams, and the Bayes-optimal one, which no model that reads the text alone can be expected to pass.
 */
import type { MetricRow } from "@mm/run";
import { type Drawing, defineFigure } from "../figure.js";
import { PUBLISHED_ENVIRONMENTS, publishedNgrams, publishedRegbench } from "../published/index.js";
import { textWidth } from "../render/fonts.js";
import { atLastStep, oneRunPerSeed } from "../selection.js";
import { groupBy, mean, runsOf, spread, standardDeviation } from "../statistics.js";
import { HALO, INK, MUTED, modelOrder, modelStyle, PAPER } from "../style.js";
import type { Table } from "../table.js";
import { isVariation, numberTag, textTag } from "../tags.js";

interface Row {
  source: "measured" | "published";
  model: string;
  /** Null for predictors that need no training environments. */
  environments: number | null;
  metric: "accuracy" | "totalVariation";
  value: number;
  /** Standard deviation over seeds. */
  deviation: number | null;
  seeds: number | null;
  /** Test problems, where they are fewer than the protocol's. */
  problems: number | null;
  protocol: "full" | "shortened";
  /** Read off the published picture where markers hide each other: ±0.01 instead of ±0.003. */
  hidden: boolean;
  runs: string;
}

export const regbench = defineFigure<Row>({
  name: "regbench",
  paper: "Figure 9",
  title: "RegBench: accuracy and total variation by number of training environments",
  needs: ["dfaAccuracy", "totalVariation"],
  whichCommand: "mm eval regbench --model memory-mosaic --environments 100",
  select: (rows) => ({ columns: COLUMNS, rows: [...measured(rows), ...published()] }),
  draw,
});

const COLUMNS: Table<Row>["columns"] = {
  source: "string",
  model: "string",
  environments: "number",
  metric: "string",
  value: "number",
  deviation: "number",
  seeds: "number",
  problems: "number",
  protocol: "string",
  hidden: "boolean",
  runs: "string",
};

/** Epochs and test problems of the published protocol. */
const FULL_EPOCHS = 200;
const FULL_PROBLEMS = 500;

/** Published scores are means over batches of problems; means over all positions at once are stored beside them. */
const AVERAGES: readonly unknown[] = ["batch", undefined];

const METRICS = { dfaAccuracy: "accuracy", totalVariation: "totalVariation" } as const;

function measured(rows: readonly MetricRow[]): Row[] {
  const scores = rows.filter(
    (row) =>
      row.metric in METRICS &&
      row.split === "test" &&
      AVERAGES.includes(row.tags["average"]) &&
      !isVariation(row) &&
      isDrawn(row),
  );
  const points = groupBy(scores, (row) => [
    row.metric,
    textTag(row, "model"),
    row.tags["environments"],
    protocolOf(row),
  ]);
  return points.map((point): Row => {
    const last = oneRunPerSeed(atLastStep(point));
    const first = last[0]!;
    const values = last.map((row) => row.value);
    return {
      source: "measured",
      model: textTag(first, "model"),
      environments: numberTag(first, "environments"),
      metric: METRICS[first.metric as keyof typeof METRICS],
      value: mean(values),
      deviation: standardDeviation(values),
      seeds: values.length,
      problems: fewProblems(first),
      protocol: protocolOf(first),
      hidden: false,
      runs: runsOf(last),
    };
  });
}

/** No reader of the text alone can be expected to do better. */
const CEILING = "bayes";

/** Readers that were never trained stand as lines: the published n-grams and the ceiling. Others would hide them. */
function isDrawn(row: MetricRow): boolean {
  const model = textTag(row, "model");
  return row.tags["environments"] !== undefined || model in publishedNgrams || model === CEILING;
}

function protocolOf(row: MetricRow): Row["protocol"] {
  const epochs = numberTag(row, "epochs");
  return row.tags["protocol"] === "shortened" || (epochs !== null && epochs < FULL_EPOCHS) ? "shortened" : "full";
}

function fewProblems(row: MetricRow): number | null {
  const problems = numberTag(row, "problems");
  return problems !== null && problems < FULL_PROBLEMS ? problems : null;
}

function published(): Row[] {
  const curves = Object.entries(publishedRegbench).flatMap(([model, curve]) =>
    Object.values(METRICS).flatMap((metric) =>
      curve[metric].map((value, index) => ({
        ...publishedPoint(model, metric, value),
        environments: PUBLISHED_ENVIRONMENTS[index]!,
        hidden: curve.hidden?.some((point) => point[0] === metric && point[1] === index) ?? false,
      })),
    ),
  );
  const lines = Object.entries(publishedNgrams).flatMap(([model, scores]) =>
    Object.values(METRICS).map((metric) => publishedPoint(model, metric, scores[metric])),
  );
  return [...curves, ...lines];
}

function publishedPoint(model: string, metric: Row["metric"], value: number): Row {
  return {
    source: "published",
    model,
    environments: null,
    metric,
    value,
    deviation: null,
    seeds: null,
    problems: null,
    protocol: "full",
    hidden: false,
    runs: "",
  };
}

const PANELS = [
  { metric: "accuracy", title: "accuracy", better: "higher is better" },
  { metric: "totalVariation", title: "total variation", better: "lower is better" },
] as const;
const WIDTH = 196;
const HEIGHT = 250;
const LABEL_GAP = 11.5;
const TICK_GAP = 19;

const SERIES = {
  published: "published",
  full: "ours, full protocol (± s.d. over seeds)",
  shortened: "ours, shortened protocol",
} as const;
const SHAPES = ["circle", "circle", "diamond"];

interface Point extends Row {
  series: keyof typeof SERIES;
  colour: string;
  low: number;
  high: number;
}

function draw(table: Table<Row>): Drawing {
  const ours = new Set(table.rows.filter((row) => row.source === "measured").map((row) => row.model));
  const points = table.rows.map((row): Point => {
    const known = ours.has(row.model);
    return {
      ...row,
      series: row.source === "published" ? "published" : row.protocol,
      colour: known ? modelStyle(row.model).colour : "#a9afb8",
      low: row.value - (row.deviation ?? 0),
      high: row.value + (row.deviation ?? 0),
    };
  });
  const environments = points.flatMap((point) => point.environments ?? []);
  const panels = PANELS.map((panel) => {
    const shown = points.filter((point) => point.metric === panel.metric);
    return drawPanel(panel, shown, ours, [Math.min(...environments), Math.max(...environments)]);
  });
  const series = Object.keys(SERIES).filter((name) => points.some((point) => point.series === name));
  return { vconcat: [{ hconcat: panels, spacing: 8 }, key(series as (keyof typeof SERIES)[])], spacing: 4 };
}

function drawPanel(
  panel: (typeof PANELS)[number],
  points: readonly Point[],
  ours: ReadonlySet<string>,
  [fewest, most]: [number, number],
): object {
  const lows = points.map((point) => point.low);
  const highs = points.map((point) => point.high);
  const margin = 0.02;
  const domain = [Math.max(0, Math.min(...lows) - margin), Math.min(1, Math.max(...highs) + margin)] as const;
  const curves = points.filter((point) => point.environments !== null);
  const x = {
    field: "environments",
    type: "quantitative",
    title: "training environments",
    scale: { type: "log", nice: false, domain: [fewest * 0.85, most * 1.15] },
    axis: {
      values: ticks(curves, Math.log(most / fewest)),
      labelExpr: "datum.value >= 1000 ? datum.value / 1000 + 'k' : datum.value",
    },
  };
  const y = { field: "value", type: "quantitative", title: null, scale: { domain, nice: false, zero: false } };
  const color = { field: "colour", type: "nominal", scale: null };
  const byFocus = (focus: boolean) => curves.filter((point) => ours.has(point.model) === focus);
  const shape = {
    field: "series",
    type: "nominal",
    scale: { domain: Object.keys(SERIES), range: SHAPES },
    legend: null,
  };
  const referenceLines = drawReferenceLines(points, y);
  const line = (data: Point[], strokeWidth: number) => ({
    data: { values: data },
    mark: { type: "line", strokeWidth },
    encoding: {
      x,
      y,
      color,
      detail: [{ field: "model" }, { field: "series" }],
      strokeDash: { condition: { test: "datum.protocol === 'shortened'", value: [4, 3] }, value: [1, 0] },
      strokeOpacity: { condition: { test: "datum.source === 'published'", value: 0.55 }, value: 1 },
    },
  });
  return {
    title: { text: panel.title, subtitle: panel.better, subtitlePadding: 2 },
    width: WIDTH,
    height: HEIGHT,
    layer: [
      ...referenceLines,
      line(byFocus(false), 0.9),
      line(byFocus(true), 1.6),
      {
        data: { values: curves.filter((point) => point.source === "published") },
        mark: { type: "point", fill: PAPER, strokeWidth: 1.1, size: 26 },
        encoding: { x, y, stroke: color, shape },
      },
      {
        data: { values: curves.filter((point) => point.deviation !== null) },
        mark: { type: "rule", strokeWidth: 1.2 },
        encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color },
      },
      {
        data: { values: curves.filter((point) => point.source === "measured") },
        mark: { type: "point", strokeWidth: 0.6, stroke: PAPER, size: 48 },
        encoding: { x, y, fill: color, shape },
      },
      ...directLabels(curves, ours, x, y, domain),
    ],
  };
}

/** The published numbers of environments and ours, without those whose label would print over the one before. */
function ticks(points: readonly Point[], range: number): number[] {
  const measured = points.filter((point) => point.source === "measured").map((point) => point.environments!);
  const all = [...new Set([...PUBLISHED_ENVIRONMENTS, ...measured])].sort((a, b) => a - b);
  const kept: number[] = [];
  for (const tick of all) {
    const gap = (WIDTH * Math.log(tick / (kept.at(-1) ?? 0))) / range;
    if (gap >= TICK_GAP) kept.push(tick);
  }
  return kept;
}

/** What hollow, filled and diamond markers mean, in one line below both panels. */
function key(series: readonly (keyof typeof SERIES)[]): object {
  let x = 10;
  const values = series.map((name) => {
    const entry = { series: name, x, text: SERIES[name] };
    x += textWidth(entry.text, 10) + 34;
    return entry;
  });
  const place = { x: { field: "x", type: "quantitative", scale: null, axis: null }, y: { value: 6 } };
  return {
    width: x,
    height: 12,
    data: { values },
    layer: [
      {
        mark: { type: "point", strokeWidth: 1.1, stroke: INK, size: 36 },
        encoding: {
          ...place,
          fill: { condition: { test: "datum.series === 'published'", value: PAPER }, value: INK },
          shape: {
            field: "series",
            type: "nominal",
            scale: { domain: Object.keys(SERIES), range: SHAPES },
            legend: null,
          },
        },
      },
      { mark: { type: "text", align: "left", dx: 8 }, encoding: { ...place, text: { field: "text" } } },
    ],
  };
}

/** Predictors without training, as horizontal lines: ours where measured, else the published ones. */
function drawReferenceLines(points: readonly Point[], y: object): object[] {
  const lines = groupBy(
    points.filter((point) => point.environments === null),
    (point) => [point.model],
  ).map((group) => group.find((point) => point.source === "measured") ?? group[0]!);
  const values = lines.map((point) => ({
    ...point,
    text: [
      modelStyle(point.model).label,
      ...(point.source === "published" ? ["published"] : []),
      ...(point.problems === null ? [] : [`${point.problems} problems`]),
    ].join(", "),
  }));
  return [
    {
      data: { values },
      mark: { type: "rule", color: MUTED, strokeWidth: 0.8, strokeDash: [1.5, 2.5] },
      encoding: { y },
    },
    {
      data: { values },
      // Beside the left axis; n-grams in the accuracy panel below the line, clear of the curves at the top.
      transform: [{ calculate: `datum.metric === 'accuracy' && datum.model !== '${CEILING}'`, as: "below" }],
      mark: { type: "text", color: MUTED, fontSize: 8.5, align: "left", dy: { expr: "datum.below ? 14 : -5" } },
      encoding: { x: { value: 4 }, y, text: { field: "text" } },
    },
  ];
}

/** One name per model at the right edge, moved apart where curves end together, with a thin leader to the curve. */
function directLabels(
  points: readonly Point[],
  ours: ReadonlySet<string>,
  x: object,
  y: object,
  domain: readonly [number, number],
): object[] {
  const ends = modelOrder(points.map((point) => point.model)).map((model) => {
    const curve = points.filter((point) => point.model === model);
    const last = Math.max(...curve.map((point) => point.environments!));
    return curve.find((point) => point.environments === last)!;
  });
  const most = Math.max(...ends.map((end) => end.environments!));
  const named = ends.map((end) => ({
    ...end,
    text: modelStyle(end.model).label,
    ink: ours.has(end.model) ? end.colour : MUTED,
    weight: end.model === "memory-mosaic" ? 600 : 400,
  }));
  const atEdge = named.filter((end) => end.environments === most);
  const gap = (LABEL_GAP / HEIGHT) * (domain[1] - domain[0]);
  const wanted = atEdge.map((end) => end.value);
  const places = spread(wanted, gap, [domain[0] + gap / 2, domain[1] - gap / 2]);
  const values = atEdge.map((end, index) => ({ ...end, place: places[index] }));
  const color = { field: "ink", type: "nominal", scale: null };
  return [
    {
      data: { values },
      mark: { type: "rule", strokeWidth: 0.5, opacity: 0.7 },
      encoding: { x, x2: { value: WIDTH + 11 }, y, y2: { field: "place" }, color },
    },
    ...[400, 600].map((weight) => ({
      data: { values: values.filter((value) => value.weight === weight) },
      mark: { type: "text", align: "left", fontSize: 9, fontWeight: weight },
      encoding: { x: { value: WIDTH + 13 }, y: { ...y, field: "place" }, text: { field: "text" }, color },
    })),
    // A curve that ends earlier has its name beside its last point.
    ...[HALO, {}].map((halo) => ({
      data: { values: named.filter((end) => end.environments !== most) },
      mark: { type: "text", align: "left", fontSize: 9, dx: 7, ...halo },
      encoding: { x, y, text: { field: "text" }, color },
    })),
  ];
}
