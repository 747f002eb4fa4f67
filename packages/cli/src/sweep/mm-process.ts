/** Another `mm` as a child process. */
import { fork } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The build, also when this file is read as TypeScript. */
const CHILD = fileURLToPath(new URL("../../dist/sweep/child-main.js", import.meta.url));

export interface ProcessEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The last lines it wrote. */
  lastWords: string;
}

export interface ProcessOptions {
  readonly threads: number;
  /** Takes what it prints, after what is there. */
  readonly logFile: string;
  readonly signal: AbortSignal;
}

/** Runs one command line; an aborted signal, or the end of this process, asks it to save a checkpoint and end. */
export async function spawnMm(
  words: readonly string[],
  { threads, logFile, signal }: ProcessOptions,
): Promise<ProcessEnd> {
  const log = openSync(logFile, "a");
  try {
    return await new Promise((resolve, reject) => {
      const child = fork(CHILD, words, {
        stdio: ["ignore", log, log, "ipc"],
        execArgv: ["--no-warnings"],
        env: { ...process.env, MM_THREADS: String(threads), NODE_OPTIONS: "" },
      });
      const stop = () => child.kill("SIGINT");
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop);
      child.on("error", reject);
      child.on("exit", (code, killedBy) => {
        signal.removeEventListener("abort", stop);
        resolve({ code, signal: killedBy, lastWords: lastLines(logFile) });
      });
    });
  } finally {
    closeSync(log);
  }
}

function lastLines(file: string): string {
  return readFileSync(file, "utf8").trimEnd().split("\n").slice(-2).join(" ");
}
