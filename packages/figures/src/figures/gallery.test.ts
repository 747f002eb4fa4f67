/**
 * Each figure drawn from the gallery's rows must look as it did. A changed one is saved beside the old, as
 * `fixtures/NAME-changed.svg`, to be looked at; MM_UPDATE_GALLERY=1 accepts all changes.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { renderSvg } from "../render/svg.js";
import { gallery } from "../testing/gallery.js";
import { figures } from "./index.js";

const metadata = { title: "gallery", figure: "gallery", runs: "", commits: "", command: "" };

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}.svg`, import.meta.url));

/** Rounded to a tenth of a pixel, one element per line: what the eye could tell, in lines that a diff can show. */
function simplify(svg: string): string {
  return svg.replace(/-?\d+\.\d+/g, (number) => String(Number(Number(number).toFixed(1)))).replaceAll("><", ">\n<");
}

describe("the gallery", () => {
  const rows = gallery();

  it("has rows for every figure, and every figure is listed under its name", () => {
    expect(Object.keys(rows).sort()).toEqual(Object.keys(figures).sort());
    for (const [name, figure] of Object.entries(figures)) expect(figure.name).toBe(name);
  });

  it.each(Object.entries(figures))("draws %s as before", async (name, figure) => {
    const table = figure.select(rows[name]!);
    const drawn = simplify(await renderSvg(figure.draw(table), { ...metadata, figure: name }));
    const [accepted, changed] = [fixture(name), fixture(`${name}-changed`)];
    rmSync(changed, { force: true });
    if (process.env["MM_UPDATE_GALLERY"] === "1") writeFileSync(accepted, drawn);
    if (existsSync(accepted) && readFileSync(accepted, "utf8") === drawn) return;
    writeFileSync(changed, drawn);
    throw new Error(`Figure ${name} has changed: compare ${changed} with the one beside it.`);
  });

  it.each(Object.entries(figures))("selects for %s only rows with exactly its columns", (name, figure) => {
    const table = figure.select(rows[name]!);
    const columns = Object.keys(table.columns).sort();
    expect(table.rows.length).toBeGreaterThan(0);
    for (const row of table.rows) expect(Object.keys(row).sort()).toEqual(columns);
    expect(columns).toContain("runs");
  });

  it.each(Object.entries(figures))("finds nothing measured for %s without rows", (_, figure) => {
    expect(figure.select([]).rows.filter((row) => row["runs"] !== "")).toEqual([]);
  });
});
