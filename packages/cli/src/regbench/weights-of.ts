import { statSync } from "node:fs";
import { join } from "node:path";
import { parseConfig, RunFolder, UserError } from "@mm/run";
import { bestCheckpoint } from "@mm/train";
import { RegBenchRunConfig } from "./config.js";

export interface FoundWeights {
  /** A safetensors file. */
  file: string;
  /** Seed of the problems that belong to it. */
  dataSeed: number;
  /** Absent for a file that is no part of a run. */
  run?: RunFolder;
  /** Optimizer steps behind the weights. */
  step: number;
}

/** The weights of lowest validation loss of a RegBench run, or a file as it is. @throws UserError when there are none */
export function weightsOf(path: string): FoundWeights {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (!isFolder) return { file: path, dataSeed: 0, step: 0 };
  const run = RunFolder.open(path);
  const { protocol } = parseConfig(RegBenchRunConfig, run.config, { source: join(path, "config.json") });
  const best = bestCheckpoint(run.checkpointFolder);
  if (best !== undefined) {
    return { file: join(best.path, "model.safetensors"), dataSeed: protocol.dataSeed, run, step: best.state.step };
  }
  throw new UserError(`Expected a checkpoint in ${path} but found none.`, {
    hint: "Let the run finish an epoch first.",
  });
}
