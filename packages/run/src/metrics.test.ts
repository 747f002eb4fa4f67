import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { tableFromIPC } from "apache-arrow";
import fc from "fast-check";
import { isUserError } from "./errors.js";
import { MetricLog, type MetricRow, readMetrics } from "./metrics.js";
import { startChild } from "./testing/child-process.js";
import { temporaryFolder } from "./testing/temporary-folder.js";

const folder = temporaryFolder;
const row = (step: number, value = step / 10, tags: MetricRow["tags"] = {}): MetricRow => ({
  run: "r",
  step,
  split: "train",
  metric: "loss",
  value,
  tags,
});

function write(at: string, rows: MetricRow[]): void {
  const log = new MetricLog(at);
  log.append(rows);
  log.close();
}

describe("MetricLog", () => {
  it("gives back the rows in order, over several openings", () => {
    const at = folder();
    write(at, [row(1), row(2, 0.5, { model: "gpt2", blocks: 2, tied: true })]);
    write(at, [row(3)]);
    expect(readMetrics(at)).toEqual([row(1), row(2, 0.5, { model: "gpt2", blocks: 2, tied: true }), row(3)]);
  });
  it("reads a folder without metrics as no rows, and leaves it as it was", () => {
    const at = folder();
    expect(readMetrics(at)).toEqual([]);
    new MetricLog(at).append([]);
    expect(readdirSync(at)).toEqual([]);
  });
  it("keeps every value exactly, also NaN and the infinities", () => {
    const at = folder();
    const values = [Number.NaN, Infinity, -Infinity, 0.1 + 0.2, 5e-324];
    write(
      at,
      values.map((value, step) => row(step, value)),
    );
    expect(readMetrics(at).map((r) => r.value)).toEqual(values);
  });
  it("leaves out a torn last line, and cuts it off before writing on", () => {
    const at = folder();
    write(at, [row(1), row(2)]);
    appendFileSync(join(at, "metrics.jsonl"), '{"run":"r","step":3,"spl');
    expect(readMetrics(at)).toEqual([row(1), row(2)]);
    write(at, [row(3)]);
    expect(readMetrics(at)).toEqual([row(1), row(2), row(3)]);
  });
  it("survives a file torn at any byte", () => {
    const at = folder();
    write(at, [row(1), row(2), row(3)]);
    const path = join(at, "metrics.jsonl");
    const whole = readFileSync(path);
    fc.assert(
      fc.property(fc.nat(whole.length), (length) => {
        writeFileSync(path, whole.subarray(0, length));
        const kept = readMetrics(at).length;
        write(at, [row(9)]);
        expect(readMetrics(at)).toEqual([...[row(1), row(2), row(3)].slice(0, kept), row(9)]);
      }),
      { numRuns: 50 },
    );
  });
  it("names file and line of a row that something else broke", () => {
    const at = folder();
    writeFileSync(join(at, "metrics.jsonl"), `${JSON.stringify(row(1))}\nnonsense\n`);
    try {
      readMetrics(at);
      throw new Error("nothing was thrown");
    } catch (error) {
      expect(isUserError(error)).toBe(true);
      expect((error as Error).message).toContain("metrics.jsonl:2");
    }
  });
  it("forgets what came after a step when rewound, and can be written on", () => {
    const at = folder();
    const log = new MetricLog(at);
    log.append([row(1), row(2), row(3)]);
    log.rewind(2);
    log.append([row(3, 7)]);
    log.close();
    expect(readMetrics(at)).toEqual([row(1), row(2), row(3, 7)]);
  });

  it("keeps every row of a process killed with SIGKILL whose append had returned", async () => {
    const at = folder();
    const child = startChild(`
      import { MetricLog } from ${JSON.stringify(new URL("./metrics.ts", import.meta.url).href)};
      const log = new MetricLog(${JSON.stringify(at)});
      for (let step = 0; ; step++) {
        log.append([{ run: "r", step, split: "train", metric: "loss", value: step, tags: {} }]);
        process.stdout.write(step + "\\n");
      }`);
    await child.printed("\n40\n");
    child.process.kill("SIGKILL");
    await child.ended;
    const seen = child.output();
    const lastSeen = Number(seen.slice(0, seen.lastIndexOf("\n")).split("\n").at(-1));
    const steps = readMetrics(at).map((r) => r.step);
    expect(steps.length).toBeGreaterThan(lastSeen);
    expect(steps).toEqual(steps.map((_, index) => index));
  });

  it("exports Arrow and CSV with a column for every tag", async () => {
    const at = folder();
    const log = new MetricLog(at);
    log.append([
      row(1, 0.25, { model: "gpt2", blocks: 2 }),
      row(2, Number.NaN, { model: 'a "quoted", name', tied: true }),
    ]);
    await log.export();
    log.close();
    const table = tableFromIPC(readFileSync(join(at, "metrics.arrow")));
    expect(table.schema.fields.map((field) => field.name)).toEqual([
      "run",
      "step",
      "split",
      "metric",
      "value",
      "blocks",
      "model",
      "tied",
    ]);
    expect(table.toArray().map((r) => r.toJSON())).toEqual([
      { run: "r", step: 1, split: "train", metric: "loss", value: 0.25, blocks: 2, model: "gpt2", tied: null },
      {
        run: "r",
        step: 2,
        split: "train",
        metric: "loss",
        value: Number.NaN,
        blocks: null,
        model: 'a "quoted", name',
        tied: true,
      },
    ]);
    expect(readFileSync(join(at, "metrics.csv"), "utf8")).toBe(
      'run,step,split,metric,value,blocks,model,tied\nr,1,train,loss,0.25,2,gpt2,\nr,2,train,loss,NaN,,"a ""quoted"", name",true\n',
    );
  });
});
