import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { inTemporaryFolder, runMm } from "./testing/run-mm.js";

const FIXTURES = fileURLToPath(new URL("../../models/src/parity/fixtures", import.meta.url));
const here = process.cwd();

describe("mm", () => {
  it("opens its help with the road from text to figures", async () => {
    const { code, stdout } = await runMm(here, ["--help"]);
    expect(code).toBe(0);
    const road = ["mm quickstart", "mm build-dataset", "mm train", "mm eval regbench", "mm plot figures"];
    const places = road.map((command) => stdout.indexOf(command));
    expect(places.every((place) => place >= 0)).toBe(true);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    // From now on the launcher prints the page that it kept.
    expect((await runMm(here, [])).stdout).toBe(stdout);
  });

  it("exits with 2 and names the command that was probably meant", async () => {
    const { code, stderr } = await runMm(here, ["trian"]);
    expect(code).toBe(2);
    expect(stderr).toContain("There is no command `mm trian`");
    expect(stderr).toContain("Did you mean `mm train`?");
  });

  it("exits with 2 on words after a command that takes only flags", async () => {
    const { code, stderr } = await runMm(here, ["eval", "position-loss", "results/runs/mosaic"]);
    expect(code).toBe(2);
    expect(stderr).toContain("`mm eval position-loss` takes only flags, but found results/runs/mosaic.");
  });

  it("exits with 2 on a flag that does not exist, as JSON where JSON was asked for", async () => {
    const { code, stdout } = await runMm(here, ["list", "--bogus", "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout).error.message).toContain("--bogus");
  });

  it("gives every command a summary and an example", async () => {
    const folder = fileURLToPath(new URL("commands", import.meta.url));
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
      /(?<!\.test)\.ts$/.test(file),
    );
    for (const file of files) {
      const source = readFileSync(join(folder, file), "utf8");
      expect({
        file,
        summary: source.includes("static override summary"),
        examples: source.includes("static override examples"),
      }).toEqual({ file, summary: true, examples: true });
    }
  });

  it("lists models, datasets, figures, evaluations, backends and recipes", async () => {
    const { stdout } = await runMm(here, ["list", "--json"]);
    const found = JSON.parse(stdout) as Record<string, { name: string }[]>;
    const names = (kind: string) => found[kind]!.map(({ name }) => name);
    expect(names("models")).toEqual(expect.arrayContaining(["memory-mosaic", "gpt2"]));
    expect(names("datasets")).toEqual(expect.arrayContaining(["stories", "text", "jsonl", "regbench"]));
    expect(names("figures")).toEqual(expect.arrayContaining(["loss-curves", "position-loss", "regbench"]));
    expect(names("evaluations")).toEqual(expect.arrayContaining(["regbench", "recall", "position-loss"]));
    expect(names("backends")).toEqual(expect.arrayContaining(["wasm", "cpu"]));
    expect(names("recipes")).toEqual(expect.arrayContaining(["stories/mosaic", "regbench/memory-mosaic"]));
  });
});

describe("mm eval three-moons", () => {
  it("trains a memory, also with the published alignment, and refuses to mix the two", () =>
    inTemporaryFolder(async (folder) => {
      const tiny = ["iterations=2", "batch=1", "block=64", "evaluation.windows=1", "evaluation.longestPrompt=8"];
      const settings = (fields: readonly string[]) => fields.flatMap((field) => ["--set", field]);
      const command = ["eval", "three-moons", "--heads", "3", "--backend", "wasm", "--json", ...settings(tiny)];
      const { code, stdout } = await runMm(folder, command);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject([{ run: "results/runs/three-moons-3-heads" }]);
      const published = [...command, "--set", "evaluation.alignment=published"];
      expect((await runMm(folder, published)).code).toBe(2);
      expect((await runMm(folder, [...published, "--force"])).code).toBe(0);
    }));
});

describe("mm check parity", () => {
  it("exits with 0 where every file agrees, and says how far each is off", async () => {
    const { code, stdout } = await runMm(here, ["check", "parity", FIXTURES, "--only", "gpt2", "--backend", "wasm"]);
    expect(stdout).toMatch(/passed +gpt2_bias\.safetensors +logits \d/);
    expect(code).toBe(0);
  });

  it("exits with 1 where a golden number differs", () =>
    inTemporaryFolder(async (folder) => {
      mkdirSync(join(folder, "parity"));
      const index = JSON.parse(readFileSync(join(FIXTURES, "models.json"), "utf8")) as { file: string; loss: number }[];
      const entry = index.find(({ file }) => file.startsWith("mm_h"))!;
      const altered = { ...entry, loss: entry.loss + 0.01 };
      writeFileSync(join(folder, "parity", "models.json"), JSON.stringify([altered]));
      copyFileSync(join(FIXTURES, entry.file), join(folder, "parity", entry.file));
      const { code, stdout } = await runMm(folder, ["check", "parity", "parity", "--backend", "wasm"]);
      expect(stdout).toContain("failed");
      expect(code).toBe(1);
    }));

  it("exits with 2 where there is no such folder", async () => {
    const { code, stderr } = await runMm(here, ["check", "parity", "nowhere"]);
    expect(code).toBe(2);
    expect(stderr).toContain("nowhere");
  });
});
