/**
 * What a Memory Mosaic loses without one of its parts: validation loss on stories, and recall averaged over distances
 * and over numbers of pairs, beside the whole model. Mean over seeds; thin lines span the seeds.
 *
 * Reads rows with the tag `ablation`, of which "none" is the whole model.
 */
import type { MetricRow } from "@mm/run";
import { type Drawing, defineFigure } from "../figure.js";
import { atLastStep } from "../selection.js";
import { groupBy, mean, runsOf } from "../statistics.js";
import { INK, modelStyle, RULE } from "../style.js";
import type { Table } from "../table.js";
import { numberTag, textTag } from "../tags.js";

interface Row {
  ablation: string;
  model: string;
  measure: Measure;
  value: number;
  lowest: number;
  highest: number;
  seeds: number;
  runs: string;
}

type Measure = "loss" | "recallOverDistance" | "recallAmongPairs";

export const ablations = defineFigure<Row>({
  name: "ablations",
  title: "Ablations: loss and recall without one part at a time",
  needs: ["loss", "recallAccuracy"],
  whichCommand: "mm reproduce ablations",
  select: (rows) => ({ columns: COLUMNS, rows: select(rows) }),
  draw,
});

const COLUMNS: Table<Row>["columns"] = {
  ablation: "string",
  model: "string",
  measure: "string",
  value: "number",
  lowest: "number",
  highest: "number",
  seeds: "number",
  runs: "string",
};

const MEASURES: readonly Measure[] = ["loss", "recallOverDistance", "recallAmongPairs"];
const WHOLE = "none";

function measureOf(row: MetricRow): Measure | null {
  if (row.metric === "loss") return row.split === "valid" && row.tags["task"] === undefined ? "loss" : null;
  if (row.metric !== "recallAccuracy") return null;
  return numberTag(row, "distance") === null ? "recallAmongPairs" : "recallOverDistance";
}

function select(rows: readonly MetricRow[]): Row[] {
  const found = rows.filter((row) => row.tags["ablation"] !== undefined && measureOf(row) !== null);
  const groups = groupBy(atLastStep(found), (row) => [textTag(row, "model"), row.tags["ablation"], measureOf(row)]);
  return groups
    .map((group): Row => {
      const perRun = groupBy(group, (row) => [row.run]).map((run) => mean(run.map(({ value }) => value)));
      return {
        ablation: textTag(group[0]!, "ablation"),
        model: textTag(group[0]!, "model"),
        measure: measureOf(group[0]!)!,
        value: mean(perRun),
        lowest: Math.min(...perRun),
        highest: Math.max(...perRun),
        seeds: perRun.length,
        runs: runsOf(group),
      };
    })
    .sort((a, b) => MEASURES.indexOf(a.measure) - MEASURES.indexOf(b.measure) || rank(a) - rank(b));
}

/** The whole model first, then in the order in which they were run. */
function rank({ ablation }: Row): number {
  return ablation === WHOLE ? -1 : 0;
}

const PANELS: Readonly<Record<Measure, { title: string; axis: string; domain?: readonly [number, number] }>> = {
  loss: { title: "stories", axis: "validation loss" },
  recallOverDistance: { title: "recall over distances", axis: "accuracy", domain: [0, 1] },
  recallAmongPairs: { title: "recall among pairs", axis: "accuracy", domain: [0, 1] },
};

function draw({ rows }: Table<Row>): Drawing {
  const order = [...new Set(rows.map(({ ablation }) => ablation))].map(spellOut);
  const shown = MEASURES.filter((measure) => rows.some((row) => row.measure === measure));
  return {
    hconcat: shown.map((measure, index) => {
      const { title, axis, domain } = PANELS[measure];
      const values = rows
        .filter((row) => row.measure === measure)
        .map((row) => ({ ...row, name: spellOut(row.ablation), colour: modelStyle(row.model).colour }));
      const whole = values.find(({ ablation }) => ablation === WHOLE);
      const y = {
        field: "name",
        type: "nominal",
        sort: order,
        title: null,
        axis: { labels: index === 0, labelLimit: 0, grid: true, domain: false, ticks: false, labelPadding: 8 },
      };
      const x = {
        field: "value",
        type: "quantitative",
        title: axis,
        scale: domain === undefined ? { zero: false } : { domain, nice: false },
        axis: { tickCount: 4 },
      };
      return {
        title,
        width: shown.length === 1 ? 280 : 125,
        height: { step: 22 },
        layer: [
          ...(whole === undefined
            ? []
            : [
                {
                  data: { values: [{ value: whole.value }] },
                  mark: { type: "rule", color: RULE, strokeDash: [3, 2] },
                  encoding: { x },
                },
              ]),
          {
            data: { values },
            mark: { type: "rule", strokeWidth: 1.25 },
            encoding: {
              x: { ...x, field: "lowest" },
              x2: { field: "highest" },
              y,
              color: { field: "colour", type: "nominal", scale: null },
            },
          },
          {
            data: { values },
            mark: { type: "point", filled: true, size: 46 },
            encoding: {
              x,
              y,
              color: { field: "colour", type: "nominal", scale: null },
              stroke: { condition: { test: `datum.ablation === '${WHOLE}'`, value: INK }, value: null },
            },
          },
        ],
      };
    }),
    spacing: 14,
  };
}

/** `no-peek` → `no peek`; the whole model by its own name. */
function spellOut(ablation: string): string {
  return ablation === WHOLE ? "whole model" : ablation.replaceAll("-", " ");
}
