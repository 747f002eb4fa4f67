import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const LAUNCHER = fileURLToPath(new URL("../../../../mm", import.meta.url));

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Types `mm ARGUMENTS` in a folder, as a person would, and waits for the end. */
export function runMm(
  folder: string,
  args: readonly string[],
  { onStderr }: { onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void } = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(LAUNCHER, args, { cwd: folder, env: { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1" } });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
      onStderr?.(String(chunk), (signal) => child.kill(signal));
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** A command that goes on until it is told to stop. */
export interface RunningMm {
  /** What it said on both outputs, as soon as that matches. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  /** Asks it to stop, and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Types `mm ARGUMENTS`, and leaves it running. */
export function startMm(folder: string, args: readonly string[], env: Record<string, string> = {}): RunningMm {
  const child = spawn(LAUNCHER, args, {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1", ...env },
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  let output = "";
  let check = () => {};
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output += chunk;
      check();
    });
  return {
    said: (pattern) =>
      new Promise((resolve, reject) => {
        check = () => {
          const match = pattern.exec(output);
          if (match !== null) resolve(match);
        };
        check();
        void ended.then(() => reject(new Error(`mm ${args[0]} ended after saying: ${output}`)));
      }),
    stop(signal = "SIGTERM") {
      child.kill(signal);
      return ended;
    },
  };
}

/** An empty folder for the time of a test. */
export async function inTemporaryFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "mm-cli-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
