/** The whole road at a small size: stories → two language models → RegBench → figures → one page. */
import { join } from "node:path";
import { formatTableOne, storiesSource } from "@mm/data";
import { figureSection, plotFigures, writeReport } from "@mm/figures";
import type { SelectedBackend } from "@mm/ops";
import { readMetrics } from "@mm/run";
import { buildWithProgress } from "../build-command.js";
import { stopIfInterrupted } from "../interrupt.js";
import { startRun } from "../language-run.js";
import { DATASETS, RESULTS } from "../places.js";
import { runRegbench } from "../regbench/run-regbench.js";
import { formatSeconds, type Reporter } from "../reporter.js";
import { languageConfig, regbenchConfig, TWINS } from "./configs.js";
import { type ScaleName, scales } from "./scales.js";

export interface TwinResult {
  model: string;
  parameters: number;
  validLoss: number;
  /** Mean loss over the first and the last eighth of the window. */
  earlyLoss: number;
  lateLoss: number;
  tokensPerSecond: number;
  regbenchAccuracy: number;
  regbenchTotalVariation: number;
}

export interface QuickstartResult {
  seconds: number;
  backend: string;
  dataset: string;
  models: TwinResult[];
  figures: string[];
  report: string;
}

interface Surroundings {
  backend: SelectedBackend;
  reporter: Reporter;
  signal: AbortSignal;
}

const AGAIN = "`mm quickstart` starts afresh.";

export async function quickstart(
  scaleName: ScaleName,
  { backend, reporter, signal }: Surroundings,
): Promise<QuickstartResult> {
  const started = performance.now();
  const scale = scales[scaleName];
  const results = join(RESULTS, "quickstart");
  const root = join(results, "runs");
  const datasets = join(DATASETS, "quickstart");
  const dataset = join(datasets, "stories");

  reporter.line(`\n1/4 Writing ${scale.stories.toLocaleString("en")} synthetic stories`);
  const { info } = await buildWithProgress(
    storiesSource({ count: scale.stories }),
    dataset,
    { force: true, signal, valid: 0.1 },
    reporter,
  );

  reporter.line("\n2/4 Training a Memory Mosaic and its GPT-2 twin on them");
  const models: TwinResult[] = [];
  for (const kind of TWINS) {
    const config = languageConfig(kind, dataset, scale);
    const { run, summary } = await startRun(
      { root, name: `stories-${kind}`, config, force: true },
      { backend, reporter, signal },
    );
    stopIfInterrupted(signal, AGAIN);
    const { earlyLoss, lateLoss } = lossAlongWindow(run.path, config.contextLength);
    models.push({
      model: kind,
      parameters: summary.parameters,
      validLoss: summary.evaluation["valid"]!,
      earlyLoss,
      lateLoss,
      tokensPerSecond: summary.tokensPerSecond,
      regbenchAccuracy: Number.NaN,
      regbenchTotalVariation: Number.NaN,
    });
  }

  reporter.line("\n3/4 RegBench: inferring regular languages from a few strings");
  for (const [index, kind] of TWINS.entries()) {
    const outcome = await runRegbench(
      { root, name: `regbench-${kind}`, config: regbenchConfig(kind, scale), force: true },
      { backend, reporter, signal },
    );
    Object.assign(models[index]!, {
      regbenchAccuracy: outcome.dfaAccuracy,
      regbenchTotalVariation: outcome.totalVariation,
    });
  }

  reporter.line("\n4/4 Drawing");
  const names = ["loss-curves", "position-loss", "regbench", "dataset-statistics"];
  const outcomes = await plotFigures(names, { resultsFolder: results, datasetsFolder: datasets });
  const seconds = (performance.now() - started) / 1000;
  const report = join(results, "report.html");
  writeReport(report, {
    title: "Memory Mosaics: quickstart",
    subtitle: `A Memory Mosaic and its GPT-2 twin on synthetic stories and RegBench, at the scale “${scaleName}”. Small models, short training: this shows the road, not the paper's results.`,
    facts: {
      command: `mm quickstart --scale ${scaleName}`,
      backend: backend.name,
      time: formatSeconds(seconds),
      dataset: `${info.splits.train.tokens.toLocaleString("en")} training tokens (synthetic)`,
    },
    sections: outcomes.map((outcome) => figureSection(outcome)),
  });
  const figures = outcomes.flatMap((outcome) =>
    outcome.status === "drawn" ? [outcome.files.find((file) => file.endsWith(".png"))!] : [],
  );
  reporter.line(`\n${formatTableOne(info)}`);
  return { seconds, backend: backend.name, dataset, models, figures, report };
}

/** What context is worth: the loss where there is little of it, and where there is much. */
function lossAlongWindow(run: string, contextLength: number): { earlyLoss: number; lateLoss: number } {
  const rows = readMetrics(run).filter((row) => row.metric === "lossByPosition");
  const eighth = contextLength / 8;
  const mean = (from: number, to: number) => {
    const part = rows.filter(({ tags }) => Number(tags["position"]) >= from && Number(tags["position"]) < to);
    return part.reduce((sum, row) => sum + row.value, 0) / part.length;
  };
  return { earlyLoss: mean(0, eighth), lateLoss: mean(contextLength - eighth, contextLength) };
}
