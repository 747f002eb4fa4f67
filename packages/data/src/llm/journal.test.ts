import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { temporaryFolder } from "../../../run/src/testing/temporary-folder.js";
import type { Outcome } from "./completion.js";
import { Journal } from "./journal.js";

const outcome = (id: number, text = `Story ${id}: “Grüße”\nand a line.`): Outcome => ({
  id,
  texts: [text],
  truncated: [],
  requests: 1,
  faults: {},
  usage: { promptTokens: 1, completionTokens: 2 },
});
const HEADER = { model: "m", seed: 1 };
const newPath = () => join(temporaryFolder(), "stories.journal");

describe("the journal", () => {
  it("gives back what was written, in any order, also when opened again", () => {
    const path = newPath();
    const journal = new Journal(path, HEADER);
    for (const id of [5, 0, 70_000, 2]) expect(journal.append(outcome(id))).toBe(true);
    for (const open of [journal, new Journal(path, HEADER)]) {
      expect(open.count).toBe(4);
      expect(open.has(1)).toBe(false);
      expect(open.has(70_001)).toBe(false);
      expect(open.read(1)).toBeUndefined();
      for (const id of [70_000, 2, 5, 0]) expect(open.read(id)).toEqual(outcome(id));
      open.close();
    }
  });

  it("keeps the first outcome of a request", () => {
    const journal = new Journal(newPath(), HEADER);
    journal.append(outcome(3, "first"));
    expect(journal.append(outcome(3, "second"))).toBe(false);
    expect(journal.read(3)?.texts).toEqual(["first"]);
    journal.close();
  });

  it("survives a tear at every single byte: whole lines stay, the rest is written again", () => {
    const path = newPath();
    const journal = new Journal(path, HEADER);
    for (let id = 0; id < 3; id++) journal.append(outcome(id));
    journal.close();
    const whole = readFileSync(path);
    const lineEnds = [...whole.entries()].filter(([, byte]) => byte === 10).map(([at]) => at + 1);
    for (let size = 0; size <= whole.length; size++) {
      writeFileSync(path, whole.subarray(0, size));
      const torn = new Journal(path, HEADER);
      const wholeLines = lineEnds.filter((end) => end <= size).length;
      expect(torn.count).toBe(Math.max(0, wholeLines - 1));
      for (let id = 0; id < 3; id++) torn.append(outcome(id));
      torn.close();
      expect(readFileSync(path).equals(whole)).toBe(true);
    }
  });

  it("asks again for a line that was damaged in the middle", () => {
    const path = newPath();
    const journal = new Journal(path, HEADER);
    for (let id = 0; id < 3; id++) journal.append(outcome(id));
    journal.close();
    const bytes = readFileSync(path);
    bytes[bytes.indexOf("Story 1") + 3]! ^= 1;
    writeFileSync(path, bytes);
    const damaged = new Journal(path, HEADER);
    expect([0, 1, 2].map((id) => damaged.has(id))).toEqual([true, false, true]);
    expect(damaged.damaged).toBe(1);
    damaged.append(outcome(1));
    damaged.close();
    const mended = new Journal(path, HEADER);
    expect(mended.read(1)).toEqual(outcome(1));
    mended.close();
  });

  it("refuses to go on with other settings, and says which", () => {
    const path = newPath();
    const journal = new Journal(path, HEADER);
    journal.append(outcome(0));
    journal.close();
    expect(() => new Journal(path, { model: "m", seed: 2 })).toThrow(/seed was 1, now 2/);
    const reader = new Journal(path);
    expect(reader.count).toBe(1);
    reader.close();
  });

  it("takes other settings while nothing is answered", () => {
    const path = newPath();
    new Journal(path, { ...HEADER, model: "mistyped" }).close();
    const journal = new Journal(path, HEADER);
    journal.append(outcome(0));
    journal.close();
    const again = new Journal(path, HEADER);
    expect(again.read(0)).toEqual(outcome(0));
    again.close();
  });

  it("leaves a file as it is when it only reads, also before the header is there", () => {
    const path = newPath();
    new Journal(path).close();
    new Journal(path, HEADER).close();
    const before = readFileSync(path);
    new Journal(path).close();
    expect(readFileSync(path)).toEqual(before);
  });

  it.each(["my only copy\n", "my only copy"])("refuses a file that is no journal, and leaves it as it is", (text) => {
    const path = newPath();
    writeFileSync(path, text);
    expect(() => new Journal(path, HEADER)).toThrow(/found another file/);
    expect(readFileSync(path, "utf8")).toBe(text);
    truncateSync(path);
    new Journal(path, HEADER).close();
  });
});
