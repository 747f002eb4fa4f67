import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { buildDataset, openDataset, regbenchSource, storiesSource } from "@mm/data";
import { expectSameTokens } from "./same-tokens.js";

describe("expectSameTokens", () => {
  const folder = mkdtempSync(join(tmpdir(), "same-tokens-"));
  const [stories, symbols] = [join(folder, "stories"), join(folder, "symbols")];
  beforeAll(async () => {
    await buildDataset(storiesSource({ count: 2 }), stories, { valid: 0 });
    const source = regbenchSource({ settings: {}, problems: () => [{ text: "abc" }] });
    await buildDataset(source, symbols, { valid: 0 });
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const check = (path: string, trainedOn: string, vocabulary: number) => () => {
    const dataset = openDataset(path);
    try {
      expectSameTokens(dataset, trainedOn, vocabulary);
    } finally {
      dataset.close();
    }
  };

  it("refuses ids of another tokenizer, also those that the model has rows for", () => {
    expect(check(symbols, stories, 50304)).toThrow(/tokenizer "gpt2".*symbols is of/);
  });
  it("refuses more tokens than the model knows, also when its own dataset is gone", () => {
    expect(check(stories, join(folder, "gone"), 20)).toThrow("at most 20 tokens");
  });
  it("takes a dataset of the same tokenizer", () => {
    expect(check(stories, stories, 50304)).not.toThrow();
    expect(check(symbols, join(folder, "gone"), 50304)).not.toThrow();
  });
});
