/** Runs one command line and sets the exit code: 0 done, 2 something a person can mend, 70 a bug of ours, 130 Ctrl-C. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Config, flush, run, settings } from "@oclif/core";
import { writeManifest } from "./manifest.js";
import { reportError } from "./report-error.js";

const PACKAGE_ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const INTERRUPTED = 130;

export async function main(argv: string[]): Promise<void> {
  settings.enableAutoTranspile = false;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0); // `mm list | head` closes the pipe early; that is no fault
  });
  try {
    await writeManifest(PACKAGE_ROOT);
    const config = await Config.load({ root: PACKAGE_ROOT });
    await run(argv.length === 0 ? ["--help"] : argv, config);
    await flush();
  } catch (error) {
    const code = reportError(error, { json: argv.includes("--json") });
    if (process.exitCode !== INTERRUPTED) process.exitCode = code;
  }
}
