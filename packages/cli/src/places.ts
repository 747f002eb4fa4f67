/** Where things lie, relative to the folder in which `mm` is typed. */
import { join } from "node:path";

export const DATASETS = "datasets";
export const RESULTS = "results";
export const RUNS = join(RESULTS, "runs");
export const ARCHIVE = join(RESULTS, "archive");
export const SWEEPS = join(RESULTS, "sweeps");
