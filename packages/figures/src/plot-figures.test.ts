import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type MetricRow, RunFolder } from "@mm/run";
import { Resvg } from "@resvg/resvg-js";
import { type DrawnFigure, plotFigures } from "./plot-figures.js";
import { tableFromArrow } from "./table.js";
import { recallRows } from "./testing/gallery.js";

const provenance = {
  commit: "0123abc",
  dirty: true,
  version: "0.1.0",
  node: "v20",
  platform: "linux x64",
  cpu: "cpu",
  cores: 2,
  memory: 1,
  backend: { name: "wasm" },
  seed: 1,
  command: "mm eval recall --all",
  date: "2025-01-01T00:00:00.000Z",
};

let root: string;
let recall: DrawnFigure;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "mm-figures-"));
  for (const [name, rows] of groupRows(recallRows())) {
    const run = RunFolder.create(
      join(root, "runs"),
      name,
      { model: { kind: name.replace(/^recall-(distance|pairs)-|-seed\d$/g, "") } },
      provenance,
    );
    const evaluation = RunFolder.open(run.path).evalFolder("recall");
    writeFileSync(join(evaluation, "metrics.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    run.finish();
  }
  recall = (await plotFigures(["recall"], { resultsFolder: root }))[0] as DrawnFigure;
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Rows by run, without the tag `model`: the run's configuration knows it. */
function groupRows(rows: readonly MetricRow[]): Map<string, MetricRow[]> {
  const groups = new Map<string, MetricRow[]>();
  for (const row of rows) {
    const { model: _, ...tags } = row.tags;
    groups.set(row.run, [...(groups.get(row.run) ?? []), { ...row, tags }]);
  }
  return groups;
}

const read = (path: string) => readFileSync(join(root, path));

describe("plotFigures", () => {
  it("reads the rows of evaluations and writes table and pictures, and nothing else", () => {
    expect(recall.status).toBe("drawn");
    expect(readdirSync(join(root, "tables")).sort()).toEqual(["recall.arrow", "recall.csv"]);
    expect(readdirSync(join(root, "figures")).sort()).toEqual(
      ["pdf", "png", "svg"].map((format) => `recall.${format}`),
    );
    expect(recall.files).toHaveLength(5);
  });

  it("writes the same table as CSV and as Arrow", () => {
    const { table } = tableFromArrow(read("tables/recall.arrow"));
    expect(table).toEqual(recall.table);
    const lines = read("tables/recall.csv").toString().trim().split("\n");
    expect(lines[0]).toBe("model,task,point,accuracy,deviation,seeds,steps,runs");
    expect(lines).toHaveLength(1 + 3 * (6 + 4));
    expect(Number(lines[1]!.split(",")[3])).toBe(table.rows[0]!["accuracy"]);
  });

  it("names runs, commit and uncommitted changes in every file", () => {
    expect(recall.runs).toContain("recall-pairs-gpt2-seed0");
    expect(recall.metadata.commits).toBe("0123abc+");
    expect(tableFromArrow(read("tables/recall.arrow")).metadata).toEqual({ ...recall.metadata });
    for (const format of ["svg", "png", "pdf"]) {
      const text = read(`figures/recall.${format}`).toString("latin1");
      expect(text).toContain("0123abc+");
      expect(text).toContain("recall-pairs-gpt2-seed0");
    }
  });

  it("draws a PNG that decodes, three pixels to each of the SVG", () => {
    const png = read("figures/recall.png");
    const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
    const size = /width="([\d.]+)" height="([\d.]+)"/.exec(recall.svg)!;
    expect([width, height]).toEqual([Math.round(3 * Number(size[1])), Math.round(3 * Number(size[2]))]);
    const data = inflateSync(pngData(png));
    expect(data.length).toBe(height * (1 + width * 4));
    expect(new Set(data).size).toBeGreaterThan(50);
  });

  it("embeds a subset of Inter in the PDF and keeps its text", () => {
    const pdf = read("figures/recall.pdf").toString("latin1");
    expect(pdf.startsWith("%PDF-")).toBe(true);
    expect(pdf).toMatch(/\/FontName \/[A-Z]{6}\+Inter-Regular/);
    expect(pdf).toMatch(/\/FontFile2 /);
    expect(pdf).toMatch(/\/ToUnicode /);
  });

  it("embeds in the SVG a font that draws it without any other font", () => {
    const svg = read("figures/recall.svg").toString();
    expect(svg).toMatch(
      /@font-face\{font-family:"Inter";font-weight:400;src:url\(data:font\/woff;base64,[\w+/=]{5000,40000}\)/,
    );
    expect(() => new Resvg(svg)).not.toThrow();
  });

  it("says what is missing and which command produces it", async () => {
    const outcomes = await plotFigures(["fig8", "table1"], { resultsFolder: root });
    expect(outcomes).toMatchObject([
      {
        status: "missing",
        name: "position-loss",
        message: `Figure position-loss (Loss by position in the window) cannot be drawn: no run in ${join(root, "runs")} has measured lossByPosition.`,
        command: "mm train --dataset datasets/stories --recipe stories/mosaic",
      },
      { status: "missing", name: "dataset-statistics", command: "mm build-dataset stories" },
    ]);
  });

  it("draws Table 1 from the datasets themselves", async () => {
    const splits = {
      train: { documents: 9, tokens: 90, meanCharacters: 40 },
      valid: { documents: 1, tokens: 10, meanCharacters: 41 },
    };
    mkdirSync(join(root, "datasets/tales"), { recursive: true });
    writeFileSync(join(root, "datasets/tales/dataset.json"), JSON.stringify({ synthetic: true, splits }));
    const folders = { resultsFolder: root, datasetsFolder: join(root, "datasets"), outFolder: join(root, "out") };
    const [table] = await plotFigures(["dataset-statistics"], { ...folders, formats: ["svg"] });
    expect((table as DrawnFigure).table.rows.slice(2)).toMatchObject([
      { dataset: "tales", split: "train", stories: 9, tokens: 90, synthetic: true },
      { dataset: "tales", split: "valid", stories: 1, tokens: 10, synthetic: true },
    ]);
    expect((table as DrawnFigure).svg).toContain("tales (synthetic)");
    expect(readdirSync(join(root, "out/figures"))).toEqual(["dataset-statistics.svg"]);
  });

  it("names a damaged description of a dataset", async () => {
    mkdirSync(join(root, "datasets/torn"), { recursive: true });
    writeFileSync(join(root, "datasets/torn/dataset.json"), "{");
    const folders = { resultsFolder: root, datasetsFolder: join(root, "datasets") };
    await expect(plotFigures(["dataset-statistics"], folders)).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringContaining("datasets/torn/dataset.json"),
    });
  });

  it("lists the figures when asked for one that does not exist", async () => {
    await expect(plotFigures(["figure-99"], { resultsFolder: root })).rejects.toMatchObject({
      name: "UserError",
      message: 'Expected the name of a figure but found "figure-99".',
      hint: expect.stringContaining("loss-curves, position-loss, regbench"),
    });
  });
});

/** The compressed pixels: the data of all IDAT chunks. */
function pngData(png: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return Buffer.concat(parts);
}
