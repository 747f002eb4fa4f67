import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isUserError } from "@mm/run";

const MENDABLE = 2;
const BUG = 70;

/**
 * Prints an error for a person (or as JSON) and returns the exit code that belongs to it. Faults that a person can mend
 * get one sentence and a hint; anything else is our bug: its stack goes to a log file whose path is printed.
 */
export function reportError(error: unknown, { json }: { json: boolean }): number {
  const status = (error as { oclif?: { exit?: number } }).oclif?.exit;
  if (status === 0) return 0;
  if (isUserError(error)) return print({ message: error.message, hint: error.hint, code: MENDABLE }, json);
  if (status !== undefined) return print({ message: commandLineMessage(error as Error), code: MENDABLE }, json);
  const log = writeLog(error);
  const message = error instanceof Error ? error.message : String(error);
  return print(
    { message: `mm failed unexpectedly: ${message}`, hint: `This is a bug of mm; details are in ${log}`, code: BUG },
    json,
  );
}

/** oclif's own message, without its ANSI colours. */
function commandLineMessage(error: Error): string {
  return error.message.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g"), "").trim();
}

function print(report: { message: string; hint?: string | undefined; code: number }, json: boolean): number {
  if (json) process.stdout.write(`${JSON.stringify({ error: report }, null, 2)}\n`);
  else process.stderr.write(`${report.message}\n${report.hint === undefined ? "" : `${report.hint}\n`}`);
  return report.code;
}

function writeLog(error: unknown): string {
  const path = join(mkdtempSync(join(tmpdir(), "mm-error-")), "error.log");
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  writeFileSync(
    path,
    `mm ${process.argv.slice(2).join(" ")}\nnode ${process.version} on ${process.platform}-${process.arch}\n\n${stack}\n`,
  );
  return path;
}
