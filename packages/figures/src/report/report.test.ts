import { describe, expect, it } from "@jest/globals";
import { renderReport } from "./report.js";
import { markdownTable, type ReportTable } from "./report-table.js";

const table: ReportTable = {
  caption: "RegBench",
  columns: [
    { key: "model", title: "model" },
    { key: "accuracy", title: "accuracy", align: "right", digits: 3 },
    { key: "parameters", title: "parameters", align: "right" },
  ],
  rows: [
    {
      cells: { model: "a|b", accuracy: { value: 0.9213, deviation: 0.004, published: 0.924 }, parameters: 812345 },
      command: "mm eval regbench",
    },
    { cells: { model: "<b>", accuracy: { value: 0.5, note: "shortened protocol" }, parameters: null } },
  ],
};

const svg =
  '<svg width="1" height="1"><defs><clipPath id="clip0"></clipPath></defs><g clip-path="url(#clip0)"></g></svg>';

describe("markdownTable", () => {
  it("sets published values, notes and commands beside ours", () => {
    expect(markdownTable(table)).toBe(
      [
        "| model | accuracy | parameters | command |",
        "| :-- | --: | --: | :-- |",
        "| a\\|b | 0.921 ± 0.004 (published 0.924) | 812,345 | `mm eval regbench` |",
        "| <b> | 0.500 (shortened protocol) | – |  |",
        "",
      ].join("\n"),
    );
  });

  it("sets a command that made the whole table below it", () => {
    const rows = [{ cells: { model: "c", accuracy: 1, parameters: 2 } }];
    expect(markdownTable({ ...table, rows, command: "mm all" })).toBe(
      "| model | accuracy | parameters |\n| :-- | --: | --: |\n| c | 1.000 | 2 |\n\n`mm all`\n",
    );
  });
});

describe("renderReport", () => {
  const page = renderReport({
    title: "Results & more",
    facts: { commit: "0123abc" },
    sections: [
      { title: "Scores", text: ["1 < 2"], tables: [table], commands: ["mm plot figures"] },
      {
        title: "Pictures",
        figures: [
          { svg, command: "mm plot figures a" },
          { svg, command: "mm plot figures b", runs: ["r1"] },
        ],
      },
    ],
  });

  it("escapes text and shows the command behind each number", () => {
    for (const text of ["Results &#38; more", "1 &#60; 2", "&#60;b&#62;", "<code>mm eval regbench</code>", "0123abc"]) {
      expect(page).toContain(text);
    }
    expect(page).toContain('0.921 ± 0.004 <span class="published">published 0.924</span>');
  });
  it("keeps the ids of two figures apart", () => {
    const ids = [...page.matchAll(/\bid="(s\d+f\d+-clip0)"/g)].map((match) => match[1]);
    expect(ids).toEqual(["s2f1-clip0", "s2f2-clip0"]);
    for (const id of ids) expect(page).toContain(`url(#${id})`);
  });
  it("asks nothing of any other place, and runs no script", () => {
    expect(page).not.toMatch(/(src|href)="(?!#)/);
    expect(page).not.toMatch(/url\((?!#|data:)/);
    expect(page).not.toContain("<script");
  });
  it("lists parts in its contents, and not what lies within them", () => {
    const whole = { title: "whole" };
    const inner = { title: "inner", within: true, tables: [{ ...table, command: "mm all" }] };
    const nested = renderReport({ title: "nested", sections: [whole, inner, whole, whole] });
    expect([...nested.matchAll(/<li><a href="#section-(\d)">/g)].map((match) => match[1])).toEqual(["1", "3", "4"]);
    expect(nested).toContain("<h3>inner</h3>");
    expect(nested).toContain('<p class="origin"><code>mm all</code></p>');
  });
});
