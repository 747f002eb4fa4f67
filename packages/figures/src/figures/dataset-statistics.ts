/** Table 1: stories, tokens and mean length of each dataset's splits, beside those published for BabiStories. */
import type { MetricRow } from "@mm/run";
import { defineFigure } from "../figure.js";
import { publishedStatistics } from "../published/index.js";
import { groupBy, runsOf } from "../statistics.js";
import type { Table } from "../table.js";
import { textTag } from "../tags.js";
import { typesetTable } from "./typeset-table.js";

interface Row {
  source: "measured" | "published";
  dataset: string;
  /** Written by a program. */
  synthetic: boolean;
  split: string;
  /** Documents, for text that is no stories. */
  stories: number | null;
  /** A published count of stories that its own token count contradicts. */
  doubtful: boolean;
  tokens: number;
  meanCharacters: number | null;
  runs: string;
}

export const datasetStatistics = defineFigure<Row>({
  name: "dataset-statistics",
  paper: "Table 1",
  title: "Dataset statistics",
  needs: ["tokens"],
  whichCommand: "mm build-dataset stories",
  select: (rows) => ({ columns: COLUMNS, rows: [...published, ...measured(rows)] }),
  draw: (table) =>
    typesetTable(
      [
        { title: "dataset", align: "left" },
        { title: "split", align: "left" },
        { title: "stories", align: "right" },
        { title: "GPT-2 tokens", align: "right" },
        { title: "tokens per story", align: "right" },
        { title: "characters per story", align: "right" },
      ],
      table.rows.map((row, index) => ({
        muted: row.source === "published",
        ruled: index > 0 && row.dataset !== table.rows[index - 1]!.dataset,
        cells: [
          row.source === "published"
            ? `${row.dataset} (published)`
            : `${row.dataset}${row.synthetic ? " (synthetic)" : ""}`,
          row.split,
          row.doubtful ? `${format(row.stories)} [sic]` : format(row.stories),
          format(row.tokens),
          format(row.stories === null || row.doubtful ? null : row.tokens / row.stories),
          format(row.meanCharacters),
        ],
      })),
    ),
});

const COLUMNS: Table<Row>["columns"] = {
  source: "string",
  dataset: "string",
  synthetic: "boolean",
  split: "string",
  stories: "number",
  doubtful: "boolean",
  tokens: "number",
  meanCharacters: "number",
  runs: "string",
};

const published: Row[] = publishedStatistics.map((statistics) => ({
  source: "published",
  dataset: "BabiStories",
  synthetic: true,
  runs: "",
  ...statistics,
}));

const METRICS = ["documents", "tokens", "meanCharacters"];

/** Rows of datasets carry no model; training runs count tokens too. */
function measured(rows: readonly MetricRow[]): Row[] {
  const statistics = rows.filter((row) => METRICS.includes(row.metric) && row.run.startsWith("dataset:"));
  return groupBy(statistics, (row) => [row.run, row.split]).flatMap((group): Row[] => {
    const value = (metric: string) => group.find((row) => row.metric === metric)?.value ?? null;
    const tokens = value("tokens");
    if (tokens === null) return [];
    return [
      {
        source: "measured",
        dataset: textTag(group[0]!, "dataset"),
        synthetic: group[0]!.tags["synthetic"] === true,
        split: group[0]!.split,
        stories: value("documents"),
        doubtful: false,
        tokens,
        meanCharacters: value("meanCharacters"),
        runs: runsOf(group),
      },
    ];
  });
}

function format(value: number | null): string {
  return value === null ? "–" : Math.round(value).toLocaleString("en-US");
}
