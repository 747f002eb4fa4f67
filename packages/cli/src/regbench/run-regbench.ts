/** One RegBench experiment from problems to scores: what `mm eval regbench`, `mm quickstart` and sweeps share. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { SelectedBackend } from "@mm/ops";
import { buildProblems, protocolSteps, regbenchDataset } from "@mm/regbench";
import { collectProvenance, type MetricRow, RunFolder, type TagValue, UserError } from "@mm/run";
import { bestCheckpoint, type RegbenchSummary, trainRegbench } from "@mm/train";
import { runExists, type Surroundings } from "../language-run.js";
import { protocolMark, type RegBenchRunConfig } from "./config.js";
import { scoreWeights } from "./score-weights.js";
import { storedScores, storeScores } from "./stored-scores.js";

export interface RegBenchOutcome {
  run: RunFolder;
  /** Null when the run had been finished before. */
  summary: RegbenchSummary | null;
  dfaAccuracy: number;
  totalVariation: number;
  seconds: number;
}

interface NewRun {
  root: string;
  name: string;
  config: RegBenchRunConfig;
  /** Replace a run of that name. */
  force?: boolean;
  /** On every row of the run: `sweep`, `ablation`, … */
  tags?: Record<string, TagValue>;
}

/**
 * Trains under the protocol, keeps the weights of lowest validation loss and scores them on the test problems. A run
 * that was interrupted goes on where it stopped; one that is finished is neither trained nor scored again.
 *
 * @throws UserError when it was interrupted, or a run of this name has another configuration (unless `force`)
 */
export async function runRegbench(
  settings: NewRun,
  { backend, reporter, signal }: Surroundings,
): Promise<RegBenchOutcome> {
  const started = performance.now();
  const { name, config } = settings;
  const { protocol } = config;
  const run = openOrCreate(settings, backend);
  const stored = run.status() === "finished" ? storedScores(run) : undefined;
  if (stored !== undefined) return { run, summary: null, ...stored, seconds: 0 };

  const problems = buildProblems({ ...protocol, seed: protocol.dataSeed });
  const tags = rowTags(config, run);
  const summary = run.status() === "finished" ? null : await train();
  const best = bestCheckpoint(run.checkpointFolder);
  if (best === undefined)
    throw new UserError(`Expected a checkpoint in ${run.checkpointFolder} but found none.`, {
      hint: "Run it again with --force.",
    });
  const result = await scoreWeights(join(best.path, "model.safetensors"), problems, reporter, signal);
  storeScores(run, best.state.step, result, tags);
  const { dfaAccuracy, totalVariation } = result.perBatch;
  return { run, summary, dfaAccuracy, totalVariation, seconds: (performance.now() - started) / 1000 };

  async function train(): Promise<RegbenchSummary> {
    const sequences = { train: regbenchDataset(problems.train), valid: regbenchDataset(problems.valid) };
    const steps = protocolSteps(protocol);
    const progress = reporter.progress(name, steps, "steps");
    const summary = await trainRegbench({ ...protocol, model: config.model }, sequences, run, {
      tags,
      replicas: { entry: new URL("../replica.js", import.meta.url), backend },
      onProgress: ({ step, before, loss, evaluation, tokensPerSecond }) =>
        progress.update(
          step,
          `loss ${loss.toFixed(3)} · valid ${evaluation["valid"]?.toFixed(3) ?? "–"} · ${Math.round(tokensPerSecond).toLocaleString("en")} tokens/s`,
          before,
        ),
      ...(signal && { signal }),
    });
    if (summary.status === "interrupted") {
      throw new UserError(`${name} was interrupted after step ${summary.step} of ${steps}; its checkpoint is saved.`, {
        hint: "The same command continues it.",
      });
    }
    progress.finish(`best epoch ${summary.bestEpoch} · valid loss ${summary.best?.loss.toFixed(4)}`);
    return summary;
  }
}

/** True when nothing is left to do for this run. */
export function isScored(root: string, name: string): boolean {
  if (!existsSync(join(root, name, "config.json"))) return false;
  const run = RunFolder.open(join(root, name));
  return run.status() === "finished" && storedScores(run) !== undefined;
}

function rowTags({ model, protocol }: RegBenchRunConfig, run: RunFolder): MetricRow["tags"] {
  return {
    model: model.kind,
    blocks: model.blocks,
    seed: protocol.seed,
    environments: protocol.environments,
    epochs: protocol.epochs,
    protocol: protocolMark(protocol),
    dataset: "regbench",
    ...run.provenance.tags,
  };
}

function openOrCreate({ root, name, config, force = false, tags = {} }: NewRun, backend: SelectedBackend): RunFolder {
  const provenance = collectProvenance({ backend: { ...backend }, seed: config.protocol.seed, tags });
  if (force || !runExists(root, name)) return RunFolder.create(root, name, config, provenance, { force });
  const run = RunFolder.open(join(root, name));
  if (JSON.stringify(run.config) !== JSON.stringify(config)) {
    throw new UserError(`Expected ${run.path} to be a run of this configuration, but it was made with another one.`, {
      hint: "Choose another --suffix, or replace it with --force.",
    });
  }
  return run;
}
