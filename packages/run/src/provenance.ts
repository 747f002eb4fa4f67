/** Where a result comes from: the code, the machine, the data and the command, as far as they decide its numbers. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { TagValue } from "./metrics.js";

export interface Provenance {
  /** Commit of the toolkit's source tree; null outside a git checkout. */
  commit: string | null;
  /** True when tracked files differed from that commit. */
  dirty: boolean;
  /** Version of the toolkit. */
  version: string;
  node: string;
  platform: string;
  cpu: string;
  cores: number;
  /** Bytes of main memory. */
  memory: number;
  backend: BackendFacts;
  dataset?: DatasetFacts;
  seed: number;
  /** What the experiment is part of, on every row of the run: `sweep`, `ablation`, … */
  tags?: Record<string, TagValue>;
  /** The command as typed. */
  command: string;
  /** When the run began, ISO 8601. */
  date: string;
}

export interface BackendFacts {
  name: string;
  version?: string;
  reason?: string;
}

export interface DatasetFacts {
  path: string;
  digest: string;
}

/** The facts of this process and machine, together with those that only the caller knows. */
export function collectProvenance(given: {
  backend: string | BackendFacts;
  dataset?: DatasetFacts;
  seed: number;
  tags?: Record<string, TagValue>;
}): Provenance {
  const { backend, dataset, seed, tags = {} } = given;
  return {
    ...sourceCommit(),
    version: toolkitVersion(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memory: totalmem(),
    backend: typeof backend === "string" ? { name: backend } : { ...backend },
    ...(dataset === undefined ? {} : { dataset: { path: dataset.path, digest: dataset.digest } }),
    seed,
    ...(Object.keys(tags).length > 0 && { tags }),
    command: ["mm", ...process.argv.slice(2).map(quote)].join(" "),
    date: new Date().toISOString(),
  };
}

function sourceCommit(): { commit: string | null; dirty: boolean } {
  try {
    const commit = git("rev-parse", "HEAD");
    return { commit, dirty: git("status", "--porcelain", "--untracked-files=no") !== "" };
  } catch {
    return { commit: null, dirty: false };
  }
}

function git(...args: string[]): string {
  const cwd = dirname(fileURLToPath(import.meta.url));
  return execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}

function toolkitVersion(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Quotes an argument where a shell would split or expand it. */
function quote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
