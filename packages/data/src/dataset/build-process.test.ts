import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { storiesSource } from "../sources/stories/index.js";
import { buildDataset } from "./build.js";
import { openDataset } from "./dataset.js";

const script = fileURLToPath(new URL("../testing/build-in-child.mjs", import.meta.url));
let folder: string;
let out: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mm-process-"));
  out = join(folder, "out");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A build in a process of its own, below a shell that may set limits first. */
const build = (stories: number, limit = "true") =>
  spawn("sh", ["-c", `${limit}; exec "$0" --conditions=mm-src "$1" "$2" ${stories}`, process.execPath, script, out]);

describe("a build", () => {
  it("killed in the middle leaves nothing that looks like a dataset, and the next one clears up", async () => {
    const child = build(1_000_000);
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(folder)).toEqual([`out.building-${child.pid}`]);
    expect(() => openDataset(join(folder, `out.building-${child.pid}`))).toThrow(/without dataset.json/);
    await buildDataset(storiesSource({ count: 50 }), out, { valid: 0.1 });
    expect(readdirSync(folder)).toEqual(["out"]);
  });

  it("that may not write more says so in one sentence and leaves nothing", async () => {
    const child = build(10_000, "ulimit -f 2000");
    let message = "";
    child.stderr.on("data", (text) => {
      message += text;
    });
    const [code] = (await once(child, "close")) as [number];
    expect(message).toMatch(/^UserError: Cannot use .*: the file would become larger than is allowed \(EFBIG\)\.$/);
    expect(code).toBe(2);
    expect(readdirSync(folder)).toEqual([]);
  });
});
