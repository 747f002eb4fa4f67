import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { listRuns, readMetrics } from "@mm/run";
import { inTemporaryFolder, runMm } from "../testing/run-mm.js";

const GRID = `kind: regbench
base:
  model: { kind: memory-mosaic, vocabulary: 20, contextLength: 1000, blocks: 1, heads: 2, width: 16, slots: 8 }
  protocol: { environments: 4, epochs: 2, valid: 2, test: 2, batch: 4 }
list: [{ model.width: 8 }, { model.width: 16 }, { model.width: 8 }]
`;

describe("mm sweep", () => {
  it("lists without starting; killed and typed again, does what is left, once", () =>
    inTemporaryFolder(async (folder) => {
      writeFileSync(join(folder, "grid.yaml"), GRID);
      const dry = await runMm(folder, ["sweep", "grid.yaml", "--dry-run"]);
      expect(dry.stdout).toMatch(/waiting +model.width=8 .*\nwaiting +model.width=16 .*\n2 configurations; nothing/);
      expect(existsSync(join(folder, "results"))).toBe(false);

      const command = ["sweep", "grid.yaml", "--jobs", "1"];
      const killed = await runMm(folder, command, {
        onStderr: (text, kill) => text.includes("1/2 runs") && kill("SIGKILL"),
      });
      expect(killed.code).toBe(null);
      const { code, stdout, stderr } = await runMm(folder, command);
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain("2 of 2 finished; 1 of these before.");

      const runs = listRuns(join(folder, "results/runs"));
      expect(runs).toHaveLength(2);
      for (const { path } of runs) {
        const rows = readMetrics(path).filter(({ metric, split }) => metric === "loss" && split === "valid");
        expect(rows.map(({ step }) => step)).toEqual([1, 2]);
        expect(rows[0]!.tags).toMatchObject({ sweep: "grid", protocol: "shortened", environments: 4 });
      }
    }));

  it("reports what failed, with the reason, and exits with 1", () =>
    inTemporaryFolder(async (folder) => {
      // The loss of so steep a descent is soon no number.
      const steep = GRID.replace(/list:.*/, "list: [{ protocol.learningRate: 1.0e+30, protocol.clip: null }]");
      writeFileSync(join(folder, "grid.yaml"), steep);
      const { code, stdout, stderr } = await runMm(folder, ["sweep", "grid.yaml", "--retries", "0"]);
      expect({ code, stderr: code === 1 ? "" : stderr }).toEqual({ code: 1, stderr: "" });
      expect(stdout).toMatch(/failed .*Expected a finite loss/);
      expect(stdout).toContain("0 of 1 finished, 1 failed");
    }));

  it("says how to begin a sweep when asked for one that is not there", () =>
    inTemporaryFolder(async (folder) => {
      const { code, stderr } = await runMm(folder, ["sweep", "status", "nothing"]);
      expect(code).toBe(2);
      expect(stderr).toContain("mm list recipes");
    }));
});
