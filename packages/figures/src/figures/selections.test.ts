/** What the figures make of rows, by hand. */
import { describe, expect, it } from "@jest/globals";
import type { MetricRow } from "@mm/run";
import { figures } from "./index.js";

const row = (run: string, step: number, split: string, metric: string, value: number, tags: MetricRow["tags"]) => ({
  run,
  step,
  split,
  metric,
  value,
  tags,
});

const measured = (table: { rows: readonly Record<string, unknown>[] }) => table.rows.filter((r) => r["runs"] !== "");

describe("loss-curves", () => {
  const tags = { model: "gpt2", blocks: 1, dataset: "stories" };

  it("averages seeds of equal length and leaves shorter runs out", () => {
    const table = figures["loss-curves"].select([
      row("a", 10, "valid", "loss", 2, tags),
      row("b", 10, "valid", "loss", 4, tags),
      row("short", 5, "valid", "loss", 9, tags),
    ]);
    expect(measured(table)).toEqual([
      {
        source: "measured",
        dataset: "stories",
        model: "gpt2",
        blocks: 1,
        split: "valid",
        step: 10,
        loss: 3,
        lowest: 2,
        highest: 4,
        seeds: 2,
        runs: "a b",
      },
    ]);
  });
  it("prefers the training loss without dropout, and falls back to the one with it, run by run", () => {
    const table = figures["loss-curves"].select([
      row("a", 10, "train", "loss", 5, tags),
      row("a", 10, "train-eval", "loss", 3, tags),
      row("b", 10, "train", "loss", 4, tags),
    ]);
    expect(measured(table)).toMatchObject([{ split: "train", loss: 3.5, seeds: 2 }]);
  });
  it("takes the largest of equally long runs", () => {
    const table = figures["loss-curves"].select([
      row("small", 10, "valid", "loss", 5, { ...tags, parameters: 10 }),
      row("large", 10, "valid", "loss", 3, { ...tags, parameters: 20 }),
    ]);
    expect(measured(table)).toMatchObject([{ loss: 3, runs: "large" }]);
  });
  it("leaves RegBench, sweeps and ablations to their own figures", () => {
    const table = figures["loss-curves"].select([
      row("a", 10, "valid", "loss", 5, { ...tags, sweep: "table2" }),
      row("b", 10, "valid", "loss", 5, { ...tags, ablation: "no peek" }),
      row("c", 10, "valid", "loss", 5, { ...tags, environments: 100 }),
    ]);
    expect(measured(table)).toEqual([]);
  });
});

describe("position-loss", () => {
  it("keeps the first positions single and averages later ones in bins that grow", () => {
    const rows = Array.from({ length: 512 }, (_, position) =>
      row("a", 1, "valid", "lossByPosition", position, { model: "gpt2", position }),
    );
    const bins = figures["position-loss"].select(rows).rows as unknown as {
      firstPosition: number;
      lastPosition: number;
      loss: number;
    }[];
    expect(bins.slice(0, 9).map((bin) => [bin.firstPosition, bin.lastPosition])).toEqual(
      Array.from({ length: 9 }, (_, index) => [index + 1, index + 1]),
    );
    expect(bins.at(-1)!.lastPosition).toBe(512);
    for (const [index, bin] of bins.entries()) {
      if (index > 0) expect(bin.firstPosition).toBe(bins[index - 1]!.lastPosition + 1);
      expect(bin.loss).toBeCloseTo((bin.firstPosition + bin.lastPosition) / 2 - 1, 9);
    }
  });
  it("takes 1.96 standard errors as the half-width of the band", () => {
    const tags = { model: "gpt2", position: 0 };
    const rows = [
      row("a", 1, "valid", "lossByPosition", 3, tags),
      row("a", 1, "valid", "lossByPositionStandardError", 0.5, tags),
    ];
    expect(figures["position-loss"].select(rows).rows[0]).toMatchObject({ loss: 3, confidence: 0.98, seeds: 1 });
  });
});

describe("regbench", () => {
  const tags = { model: "mamba", environments: 100, epochs: 200 };

  it("gives mean and sample deviation over seeds", () => {
    const rows = [0.3, 0.5].map((value, seed) => row(`s${seed}`, 1, "test", "dfaAccuracy", value, { ...tags, seed }));
    const [point] = measured(figures.regbench.select(rows));
    expect(point).toMatchObject({ value: 0.4, seeds: 2, protocol: "full", metric: "accuracy", runs: "s0 s1" });
    expect(point!["deviation"]).toBeCloseTo(0.1 * Math.SQRT2, 12);
  });
  it("does not mix a shortened protocol with the full one", () => {
    const rows = [
      row("full", 1, "test", "dfaAccuracy", 0.4, tags),
      row("fast", 1, "test", "dfaAccuracy", 0.2, { ...tags, epochs: 20 }),
      row("told", 1, "test", "dfaAccuracy", 0.3, { ...tags, protocol: "shortened" }),
      row("fast", 1, "test", "dfaAccuracy", 0.9, { ...tags, epochs: 20, average: "pooled" }),
    ];
    expect(measured(figures.regbench.select(rows))).toMatchObject([
      { protocol: "full", value: 0.4 },
      { protocol: "shortened", value: 0.25 },
    ]);
  });
  it("takes the plain run of a seed, not a variant with a suffix", () => {
    const rows = ["regbench-mamba-100-seed0-wide", "regbench-mamba-100-seed0"].map((run, index) =>
      row(run, 1, "test", "totalVariation", index, { ...tags, seed: 0 }),
    );
    expect(measured(figures.regbench.select(rows))).toMatchObject([{ value: 1, seeds: 1 }]);
  });
  it("draws of the readers without training the published n-grams and the Bayes-optimal one", () => {
    const rows = ["2-gram", "4-gram", "bayes", "bayes-told-states"].map((model) =>
      row("references", 0, "test", "dfaAccuracy", 0.9, { model }),
    );
    expect(measured(figures.regbench.select(rows)).map(({ model }) => model)).toEqual(["2-gram", "bayes"]);
  });
  it("carries every published point, and never as ours", () => {
    const { rows } = figures.regbench.select([]);
    expect(rows.filter((r) => r["environments"] !== null)).toHaveLength(11 * 5 * 2);
    expect(new Set(rows.map((r) => r["source"]))).toEqual(new Set(["published"]));
    expect(rows).toContainEqual(
      expect.objectContaining({ model: "memory-mosaic", environments: 100, metric: "totalVariation", value: 0.569 }),
    );
  });
});

describe("three-moons-attention", () => {
  it("averages maps larger than 96 positions down to cells", () => {
    const rows = Array.from({ length: 192 * 192 }, (_, index) =>
      row("a", 1, "test", "attention", index % 2, {
        heads: 1,
        head: 0,
        query: Math.floor(index / 192),
        key: index % 192,
      }),
    );
    const table = figures["three-moons-attention"].select(rows);
    expect(table.rows).toHaveLength(96 * 96);
    expect(table.rows.every((cell) => cell["attention"] === 0.5 && cell["cell"] === 2)).toBe(true);
  });
});

describe("regbench-by-position", () => {
  it("weights positions by the number of problems that reach them", () => {
    const tags = { model: "mamba", environments: 100, seed: 0 };
    const rows = [
      row("a", 1, "test", "dfaAccuracyByPosition", 0.2, { ...tags, position: 16, count: 3 }),
      row("a", 1, "test", "dfaAccuracyByPosition", 0.6, { ...tags, position: 31, count: 1 }),
    ];
    const { rows: points } = figures["regbench-by-position"].select(rows);
    expect(points).toMatchObject([{ place: 24, deviation: null, seeds: 1 }]);
    expect(points[0]!["value"]).toBeCloseTo(0.3, 12);
  });
});

describe("hyperparameter-search", () => {
  const { select, draw } = figures["hyperparameter-search"];
  const one = (run: string, loss: number, tags: MetricRow["tags"]) => row(run, 9, "valid", "loss", loss, tags);
  const gpt2 = { sweep: "a", model: "gpt2" };

  it("draws each sweep by itself", () => {
    const table = select([
      one("a1", 3, { ...gpt2, "set.model.dropout": 0 }),
      one("a2", 4, { ...gpt2, "set.model.dropout": 0.1 }),
      one("b1", 1, { sweep: "b", model: "memory-mosaic", "set.model.width": 64 }),
      one("b2", 2, { sweep: "b", model: "memory-mosaic", "set.model.width": 128 }),
    ]);
    expect(draw(table)).toMatchObject({ vconcat: [{ title: "b: Memory Mosaic" }, { title: "a: GPT-2" }] });
  });

  it("shows a configuration that leaves a field alone beside those that set it", () => {
    const table = select([one("whole", 3, gpt2), one("bare", 4, { ...gpt2, "set.model.bias": false })]);
    expect(draw(table)).toMatchObject({
      concat: [
        {
          data: {
            values: [
              { loss: 3, value: "–" },
              { loss: 4, value: false },
            ],
          },
        },
      ],
    });
  });

  it("shows nothing of a sweep over seeds alone", () => {
    expect(select([one("s0", 3, { ...gpt2, seed: 0 }), one("s1", 4, { ...gpt2, seed: 1 })]).rows).toEqual([]);
  });
});
