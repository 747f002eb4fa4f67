/** The numbers of a reproduction, ours beside the published ones. */
import {
  modelStyle,
  PUBLISHED_ENVIRONMENTS,
  publishedLosses,
  publishedRegbench,
  type ReportTable,
  type Results,
} from "@mm/figures";
import type { MetricRow } from "@mm/run";
import type { PartName } from "./parts.js";

/** Tables of one part; none while nothing of it was measured. */
export function resultTables(part: PartName, { rows, runs }: Results, scale: string): ReportTable[] {
  const command = `mm reproduce ${part} --scale ${scale}`;
  const finished = rows.filter(({ run }) => run.startsWith("dataset:") || runs.get(run)?.status === "finished");
  const table = TABLES[part]?.(finished);
  return table === undefined || table.rows.length === 0 ? [] : [{ ...table, command }];
}

type Build = (rows: readonly MetricRow[]) => ReportTable;

const TABLES: Partial<Record<PartName, Build>> = {
  "three-moons": moonsTable,
  babistories: (rows) => ({
    caption:
      "Loss after the last step, nats per token, without dropout. Published: width 768, 80,000 steps on BabiStories; for one block read off the figure, to about 0.1.",
    columns: [
      { key: "model", title: "model" },
      { key: "blocks", title: "blocks", align: "right" },
      { key: "parameters", title: "parameters", align: "right" },
      { key: "train", title: "train", align: "right", digits: 3 },
      { key: "valid", title: "validation", align: "right", digits: 3 },
      { key: "elsewhere", title: "other text", align: "right", digits: 3 },
    ],
    rows: lastLosses(rows.filter(({ tags }) => !("sweep" in tags) && !("ablation" in tags))).map((last) => {
      const published = (split: string) =>
        publishedLosses.find(
          (one) => one.model === last.tags["model"] && one.blocks === last.tags["blocks"] && one.split === split,
        )?.loss ?? null;
      const elsewhere = rows.find(
        ({ run, metric, tags }) =>
          run === last.run && metric === "evaluationLoss" && tags["outOfDistribution"] === true,
      );
      return {
        cells: {
          model: modelStyle(String(last.tags["model"])).label,
          blocks: Number(last.tags["blocks"]),
          parameters: Number(last.tags["parameters"]),
          train: { value: last.losses["train-eval"] ?? null, published: published("train-eval") },
          valid: { value: last.losses["valid"] ?? null, published: published("valid") },
          elsewhere: elsewhere?.value ?? null,
        },
      };
    }),
  }),
  regbench: (rows) => ({
    caption: "On languages never seen; total variation is better when lower.",
    columns: [
      { key: "model", title: "model" },
      { key: "environments", title: "languages", align: "right" },
      { key: "seed", title: "seed", align: "right" },
      { key: "accuracy", title: "accuracy", align: "right", digits: 3 },
      { key: "variation", title: "total variation", align: "right", digits: 3 },
    ],
    rows: rows
      .filter(({ metric, split, tags }) => metric === "dfaAccuracy" && split === "test" && "environments" in tags)
      .filter(({ tags }) => tags["average"] === undefined || tags["average"] === "batch")
      .map((accuracy) => {
        const { model, environments, seed, protocol } = accuracy.tags;
        const variation = rows.find(
          (row) =>
            row.run === accuracy.run &&
            row.metric === "totalVariation" &&
            JSON.stringify(row.tags) === JSON.stringify(accuracy.tags),
        );
        const at = (PUBLISHED_ENVIRONMENTS as readonly number[]).indexOf(Number(environments));
        const paper = publishedRegbench[model === "gpt2" ? "transformer" : String(model)];
        const note = protocol === "full" ? {} : { note: "shortened protocol" };
        return {
          cells: {
            model: modelStyle(String(model)).label,
            environments: Number(environments),
            seed: Number(seed),
            accuracy: { value: accuracy.value, published: at < 0 ? null : (paper?.accuracy[at] ?? null), ...note },
            variation: {
              value: variation?.value ?? null,
              published: at < 0 ? null : (paper?.totalVariation[at] ?? null),
            },
          },
        };
      }),
  }),
  recall: (rows) => ({
    caption: "Share of queries answered with the right value; chance is below 0.02.",
    columns: [
      { key: "model", title: "model" },
      { key: "parameters", title: "parameters", align: "right" },
      { key: "seed", title: "seed", align: "right" },
      ...POINTS.flatMap(({ task, shown }) =>
        shown.map((point) => ({
          key: `${task}${point}`,
          title: task === "distance" ? `${point} back` : `${point} pairs`,
          align: "right" as const,
          digits: 2,
        })),
      ),
    ],
    rows: recallGroups(rows.filter(({ tags }) => !("ablation" in tags))).map(
      ({ model, parameters, seed, accuracy }) => ({
        cells: {
          model: modelStyle(model).label,
          parameters,
          seed,
          ...Object.fromEntries(
            POINTS.flatMap(({ task, shown }) =>
              shown.map((point) => [`${task}${point}`, accuracy(task, point) ?? null] as const),
            ),
          ),
        },
      }),
    ),
  }),
  table2: (rows) => {
    const found = lastLosses(rows.filter(({ tags }) => "sweep" in tags));
    const fields = [...new Set(found.flatMap(({ tags }) => Object.keys(tags).filter((tag) => tag.startsWith(VARIED))))];
    return {
      caption: "Loss after the last step, nats per token, the best first. No losses are published for this search.",
      columns: [
        ...fields.map((field) => ({ key: field, title: field.slice(VARIED.length), align: "right" as const })),
        { key: "train", title: "train", align: "right", digits: 3 },
        { key: "valid", title: "validation", align: "right", digits: 3 },
      ],
      rows: found
        .map(({ tags, losses }) => ({ tags, train: losses["train-eval"] ?? null, valid: losses["valid"] ?? null }))
        .sort((a, b) => (a.valid ?? Infinity) - (b.valid ?? Infinity))
        .map(({ tags, train, valid }) => ({
          cells: { ...Object.fromEntries(fields.map((field) => [field, tags[field] ?? null])), train, valid },
        })),
    };
  },
  ablations: (rows) => ({
    caption:
      "Validation loss on stories after the last step, nats per token; share of right answers, averaged over distances and over numbers of pairs.",
    columns: [
      { key: "ablation", title: "ablation" },
      { key: "parameters", title: "parameters", align: "right" },
      { key: "valid", title: "validation loss", align: "right", digits: 3 },
      { key: "distance", title: "recall over distances", align: "right", digits: 2 },
      { key: "pairs", title: "recall among pairs", align: "right", digits: 2 },
    ],
    rows: wholeFirst(lastLosses(rows.filter(({ tags }) => "ablation" in tags))).map(({ tags, losses }) => ({
      cells: {
        ablation: tags["ablation"] === "none" ? "none: the whole model" : String(tags["ablation"]).replaceAll("-", " "),
        parameters: Number(tags["parameters"]),
        valid: losses["valid"] ?? null,
        ...Object.fromEntries(POINTS.map(({ task }) => [task, meanRecall(rows, tags["ablation"], task)] as const)),
      },
    })),
  }),
};

/** Before the name of a field that a sweep varies. */
const VARIED = "set.";

const POINTS = [
  { task: "distance", shown: [4, 16, 64, 96] },
  { task: "pairs", shown: [4, 16, 32] },
] as const;

/** The recall of each model and seed, both tasks together. */
function recallGroups(rows: readonly MetricRow[]) {
  const found = rows.filter(({ metric }) => metric === "recallAccuracy");
  const groups = new Map<string, MetricRow[]>();
  for (const row of found) {
    const key = JSON.stringify([row.tags["model"], row.tags["seed"]]);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((group) => ({
    model: String(group[0]!.tags["model"]),
    parameters: Number(group[0]!.tags["parameters"]),
    seed: Number(group[0]!.tags["seed"]),
    accuracy: (task: string, point: number) => group.find(({ tags }) => tags[task] === point)?.value,
  }));
}

function meanRecall(rows: readonly MetricRow[], ablation: unknown, task: string): number | null {
  const values = rows
    .filter(({ metric, tags }) => metric === "recallAccuracy" && tags["ablation"] === ablation && task in tags)
    .map(({ value }) => value);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function moonsTable(rows: readonly MetricRow[]): ReportTable {
  const value = (metric: string, tags: MetricRow["tags"]) =>
    rows.find((row) => row.metric === metric && Object.entries(tags).every(([tag, wanted]) => row.tags[tag] === wanted))
      ?.value ?? null;
  const cases = [1, 3].flatMap((heads) => ["train", "held-out"].map((triple) => ({ heads, triple })));
  return {
    caption:
      "From which length of prompt on a memory generates about as well as it ever does (error within 1.5 times its level), beside the periods, in steps. One moon per head: 1; all weights equal: 0.33.",
    columns: [
      { key: "heads", title: "heads", align: "right" },
      { key: "triple", title: "periods" },
      { key: "from", title: "accurate from", align: "right" },
      { key: "longest", title: "longest period", align: "right", digits: 0 },
      { key: "joint", title: "joint period", align: "right", digits: 0 },
      { key: "error", title: "error then", align: "right", digits: 3 },
      { key: "score", title: "one moon per head", align: "right", digits: 2 },
    ],
    rows: cases
      .filter(({ heads, triple }) => value("period", { heads, triple }) !== null)
      .map(({ heads, triple }) => {
        const periods = [1, 2, 3].map((moon) => value("period", { heads, triple, moon })!);
        const from = value("accurateFrom", { heads, triple });
        return {
          cells: {
            heads,
            triple: triple === "train" ? "seen in training" : "held out",
            from,
            longest: Math.max(...periods),
            joint: value("period", { heads, triple, moon: "joint" }),
            error: from === null ? null : value("generationError", { heads, triple, prompt: from }),
            score: value("disentanglement", { heads, matrix: "all" }),
          },
        };
      }),
  };
}

/** A training on RegBench or on recall has a loss too, but not that of a language model. */
function isBenchmark(tags: MetricRow["tags"]): boolean {
  return "environments" in tags || "task" in tags;
}

function wholeFirst(all: readonly LastLosses[]): LastLosses[] {
  const isWhole = ({ tags }: LastLosses) => tags["ablation"] === "none";
  return [...all.filter(isWhole), ...all.filter((one) => !isWhole(one))];
}

interface LastLosses {
  run: string;
  tags: MetricRow["tags"];
  losses: Record<string, number>;
}

/** Of every run the losses of its last evaluation. */
function lastLosses(rows: readonly MetricRow[]): LastLosses[] {
  const last = new Map<string, LastLosses & { step: number }>();
  for (const { run, step, split, metric, value, tags } of rows) {
    if (metric !== "loss" || (split !== "valid" && split !== "train-eval") || isBenchmark(tags)) continue;
    const known = last.get(run);
    if (known === undefined || step > known.step) last.set(run, { run, step, tags, losses: { [split]: value } });
    else if (step === known.step) known.losses[split] = value;
  }
  return [...last.values()];
}
