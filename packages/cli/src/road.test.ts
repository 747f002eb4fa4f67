/** The README's commands, typed one after the other in an empty folder. */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { readMetrics } from "@mm/run";
import { inTemporaryFolder, runMm } from "./testing/run-mm.js";

const TINY_MODEL = ["model.blocks=1", "model.heads=2", "model.width=16", "model.contextLength=32"];
const TINY_TRAINING = [
  "batch=2",
  "accumulation=1",
  "evaluation.every=10",
  "evaluation.windows=4",
  "checkpoints.every=5",
];
const settings = (fields: readonly string[]) => fields.flatMap((field) => ["--set", field]);

describe("the road from text to figures", () => {
  it("builds a dataset, trains, is interrupted, resumes to the same numbers, scores and draws", () =>
    inTemporaryFolder(async (folder) => {
      const text = Array.from({ length: 400 }, (_, line) => `Line ${line}: the fox and the hen met at noon.`).join(
        "\n\n",
      );
      writeFileSync(join(folder, "fable.txt"), text);
      const built = await runMm(folder, ["build-dataset", "text", "fable.txt", "--valid", "0.5", "--json"]);
      expect({ code: built.code, stderr: built.stderr }).toMatchObject({ code: 0 });
      const info = JSON.parse(built.stdout);
      expect(info.splits.train.tokens + info.splits.valid.tokens).toBeGreaterThan(400 * 10);
      expect(existsSync(join(folder, "datasets/fable/dataset.json"))).toBe(true);

      const again = await runMm(folder, ["build-dataset", "text", "fable.txt"]);
      expect(again.code).toBe(2);
      expect(again.stderr).toContain("--force");

      const train = (name: string) => [
        "train",
        "--dataset",
        "datasets/fable",
        "--model",
        "memory-mosaic",
        "--steps",
        "20",
        "--name",
        name,
        "--backend",
        "wasm",
        ...settings([...TINY_MODEL, ...TINY_TRAINING]),
      ];
      expect((await runMm(folder, train("whole"))).code).toBe(0);

      const interrupted = await runMm(folder, train("stopped"), {
        onStderr: (line, kill) => /\b2\/20/.test(line) && kill("SIGINT"),
      });
      expect(interrupted.code).toBe(130);
      expect(interrupted.stdout).toContain("mm train --resume results/runs/stopped");
      expect((await runMm(folder, ["train", "--resume", "results/runs/stopped"])).code).toBe(0);
      const losses = (run: string) =>
        readMetrics(join(folder, "results/runs", run))
          .filter(({ metric }) => metric === "loss")
          .map(({ split, step, value }) => ({ split, step, value }));
      expect(losses("stopped")).toEqual(losses("whole"));

      const evaluate = ["eval", "position-loss", "--run", "results/runs/whole", "--windows", "4", "--backend", "wasm"];
      const position = await runMm(folder, [...evaluate, "--json"]);
      expect(JSON.parse(position.stdout)[0].byPosition).toHaveLength(32);
      cpSync(join(folder, "datasets/fable"), join(folder, "elsewhere/fable"), { recursive: true });
      expect((await runMm(folder, [...evaluate, "--dataset", "elsewhere/fable"])).code).toBe(0);
      expect(readdirSync(join(folder, "results/runs/whole/evals")).sort()).toEqual([
        expect.stringMatching(/^position-loss-fable-[0-9a-f]{8}-valid$/),
        "position-loss-fable-valid",
      ]);

      const plotted = await runMm(folder, [
        "plot",
        "figures",
        "loss-curves",
        "position-loss",
        "fig9",
        "--format",
        "svg",
        "--json",
      ]);
      expect(
        JSON.parse(plotted.stdout).map(({ name, status }: { name: string; status: string }) => [name, status]),
      ).toEqual([
        ["loss-curves", "drawn"],
        ["position-loss", "drawn"],
        ["regbench", "missing"],
      ]);
      expect(readFileSync(join(folder, "results/figures/loss-curves.svg"), "utf8")).toContain("</svg>");
      expect(readFileSync(join(folder, "results/tables/position-loss.csv"), "utf8").split("\n")[0]).toContain(
        "position",
      );
    }));

  it("says what is wrong with a configuration, and what the names are", () =>
    inTemporaryFolder(async (folder) => {
      const { code, stderr } = await runMm(folder, [
        "train",
        "--dataset",
        "x",
        "--model",
        "memory-mosaic",
        "--set",
        "model.layers=3",
      ]);
      expect(code).toBe(2);
      expect(stderr).toContain("model.layers: unknown key");
      expect(stderr).toContain("blocks");
    }));

  it("trains and scores RegBench, and does not repeat what is finished", () =>
    inTemporaryFolder(async (folder) => {
      const command = ["eval", "regbench", "--environments", "6", "--epochs", "2", "--backend", "wasm", "--json"];
      const small = settings([
        "model.blocks=1",
        "model.width=16",
        "model.heads=2",
        "model.slots=8",
        "protocol.valid=3",
        "protocol.test=4",
        "protocol.batch=4",
      ]);
      const first = await runMm(folder, [...command, ...small]);
      expect({ code: first.code, stderr: first.stderr }).toMatchObject({ code: 0 });
      const [row] = JSON.parse(first.stdout);
      expect(row.dfaAccuracy).toBeGreaterThan(0);
      expect(row.totalVariation).toBeLessThanOrEqual(1);
      const second = await runMm(folder, [...command, ...small]);
      expect(JSON.parse(second.stdout)[0]).toMatchObject({
        dfaAccuracy: row.dfaAccuracy,
        totalVariation: row.totalVariation,
      });
      const rows = readMetrics(join(folder, row.run, "evals/regbench"));
      expect(rows.filter(({ metric, tags }) => metric === "dfaAccuracy" && tags["average"] === "batch")).toHaveLength(
        1,
      );
      expect(rows[0]!.tags).toMatchObject({ protocol: "shortened", environments: 6 });
    }));
});

describe("mm quickstart", () => {
  it("goes the whole road and leaves a report, figures and next steps", () =>
    inTemporaryFolder(async (folder) => {
      const { code, stdout, stderr } = await runMm(folder, ["quickstart", "--scale", "tiny"]);
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain("RegBench accuracy");
      for (const figure of ["loss-curves", "position-loss", "regbench", "dataset-statistics"])
        expect(existsSync(join(folder, `results/quickstart/figures/${figure}.png`))).toBe(true);
      expect(readFileSync(join(folder, "results/quickstart/report.html"), "utf8")).toContain("<svg");
    }));
});
