/** Training a language model into a run folder: what `mm train` and `mm quickstart` share. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openDataset } from "@mm/data";
import type { SelectedBackend } from "@mm/ops";
import { collectProvenance, RunFolder, type TagValue } from "@mm/run";
import { checkFit, resume, type TrainConfig, type TrainProgress, type TrainSummary, train } from "@mm/train";
import type { Reporter } from "./reporter.js";

export interface LanguageRun {
  run: RunFolder;
  summary: TrainSummary;
}

interface NewRun {
  root: string;
  name: string;
  config: TrainConfig;
  /** Replace a run of that name. */
  force?: boolean;
  /** On every row of the run: `sweep`, `ablation`, … */
  tags?: Record<string, TagValue>;
}

/** What a run needs around it. */
export interface Surroundings {
  backend: SelectedBackend;
  reporter: Reporter;
  signal?: AbortSignal;
}

/**
 * Starts a new run `root/name`.
 *
 * @throws UserError when the run exists (unless `force`), or model and dataset do not fit
 */
export async function startRun(
  { root, name, config, force = false, tags = {} }: NewRun,
  { backend, ...rest }: Surroundings,
): Promise<LanguageRun> {
  const dataset = openDataset(config.dataset);
  try {
    checkFit(config, dataset);
    const facts = { path: config.dataset, digest: dataset.digest };
    const provenance = collectProvenance({ backend: { ...backend }, dataset: facts, seed: config.seed, tags });
    const run = RunFolder.create(root, name, config, provenance, { force });
    return { run, summary: await follow(name, config.steps, rest, (options) => train(config, dataset, run, options)) };
  } finally {
    dataset.close();
  }
}

/** Continues a run from its newest checkpoint; a finished run is left as it is. */
export async function continueRun(
  path: string,
  { reporter, signal }: Omit<Surroundings, "backend">,
): Promise<LanguageRun> {
  const run = RunFolder.open(path);
  const { steps } = run.config as TrainConfig;
  return {
    run,
    summary: await follow(run.name, steps, { reporter, ...(signal && { signal }) }, (options) => resume(run, options)),
  };
}

/** Whether `root/name` is a run already. */
export function runExists(root: string, name: string): boolean {
  return existsSync(join(root, name, "config.json"));
}

async function follow(
  title: string,
  steps: number,
  { reporter, signal }: Omit<Surroundings, "backend">,
  work: (options: { onProgress: (progress: TrainProgress) => void; signal?: AbortSignal }) => Promise<TrainSummary>,
): Promise<TrainSummary> {
  const progress = reporter.progress(title, steps, "steps");
  const summary = await work({
    onProgress: (now) => progress.update(now.step, describe(now), now.before),
    ...(signal && { signal }),
  });
  const { status, step, evaluation, tokensPerSecond, peakMemory } = summary;
  const rate = `${Math.round(tokensPerSecond).toLocaleString("en")} tokens/s`;
  const peak = `peak memory ${(peakMemory / 2 ** 30).toFixed(1)} GiB`;
  if (status === "finished") progress.finish(`valid loss ${format(evaluation["valid"])} · ${rate} · ${peak}`);
  else reporter.line(`${title}: interrupted after step ${step}; its checkpoint is saved`);
  return summary;
}

function describe({ loss, tokensPerSecond, evaluation }: TrainProgress): string {
  const valid = evaluation["valid"] === undefined ? "" : ` · valid ${format(evaluation["valid"])}`;
  return `loss ${format(loss)}${valid} · ${Math.round(tokensPerSecond).toLocaleString("en")} tokens/s`;
}

function format(loss: number | undefined): string {
  return loss === undefined ? "–" : loss.toFixed(3);
}
