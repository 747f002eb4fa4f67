/** Starts `tiny-server-process.ts` and ends it with the test. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll } from "@jest/globals";

const LOADER = fileURLToPath(new URL("../../../../scripts/typescript-loader.js", import.meta.url));
const PROCESS = fileURLToPath(new URL("./tiny-server-process.ts", import.meta.url));

const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
});

export interface ServerProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Texts whose states the model holds. */
  openStates(): Promise<number>;
}

export async function startServerProcess(settings: object = {}): Promise<ServerProcess> {
  const child = spawn(
    process.execPath,
    ["--conditions=mm-src", "--no-warnings", "--import", LOADER, PROCESS, JSON.stringify(settings)],
    { stdio: ["ignore", "inherit", "inherit", "ipc"], env: { ...process.env, NODE_OPTIONS: "" } },
  );
  running.add(child);
  child.on("exit", () => running.delete(child));
  const [{ url }] = (await once(child, "message")) as [{ url: string }];
  return {
    url,
    child,
    async openStates() {
      const answer = once(child, "message");
      child.send("states");
      const [{ openStates }] = (await answer) as [{ openStates: number }];
      return openStates;
    },
  };
}
