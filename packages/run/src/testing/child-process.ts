/** For tests: a real process that runs TypeScript against the sources, so that it can really be killed. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterEach } from "@jest/globals";
import { temporaryFolder } from "./temporary-folder.js";

const LOADER = fileURLToPath(new URL("../../../../scripts/typescript-loader.js", import.meta.url));

/** No child outlives the test that started it, also when the test fails. */
const running = new Set<ChildProcessByStdio<null, Readable, Readable>>();
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
});

export interface Child {
  process: ChildProcessByStdio<null, Readable, Readable>;
  /** Everything printed so far. */
  output(): string;
  /** What it printed to its error stream. */
  errors(): string;
  /** Resolves as soon as the child has printed `text`; rejects when it ends before. */
  printed(text: string): Promise<void>;
  /** Resolves with the exit code, null after a signal. */
  ended: Promise<number | null>;
}

/** Starts a script whose imports are absolute `file:` URLs of sources. */
export function startChild(script: string): Child {
  const file = join(temporaryFolder(), "script.ts");
  writeFileSync(file, script);
  const child = spawn(process.execPath, ["--conditions=mm-src", "--no-warnings", "--import", LOADER, file], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  running.add(child);
  child.on("close", () => running.delete(child));
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (errors += chunk));
  const ended = new Promise<number | null>((resolve) => child.on("close", (code) => resolve(code)));
  return {
    process: child,
    output: () => output,
    errors: () => errors,
    ended,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = () => output.includes(text) && resolve();
        look();
        child.stdout.on("data", look);
        ended.then((code) => {
          if (output.includes(text)) resolve();
          else reject(new Error(`the child ended (${code}) before it printed ${JSON.stringify(text)}:\n${errors}`));
        });
      }),
  };
}
