/** The same `mm` once more, in a process of its own. */
import { spawnSync } from "node:child_process";

/**
 * Runs one command line to its end.
 *
 * @returns what `--json` prints
 * @throws Error with what the process wrote when it fails
 */
export function runMmAlone(words: readonly string[]): unknown {
  const args = [...process.execArgv, process.argv[1]!, ...words, "--json"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`mm ${words.join(" ")} ended with ${status}: ${stderr.trim()}`);
  return JSON.parse(stdout);
}
