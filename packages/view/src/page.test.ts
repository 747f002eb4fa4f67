/** The page in a real browser: curves that grow, and the inspector under the keyboard. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";

import { type RunningViewer, serveOnLoopback } from "./server.js";
import { builtPage } from "./testing/built-page.js";
import { type Browser, chromiumPath, launchChromium, openPage, type Page } from "./testing/chromium.js";
import { row, smallModels, startRun } from "./testing/small-world.js";
import { createViewer } from "./viewer.js";

const inBrowser = chromiumPath === undefined ? describe.skip : describe;

inBrowser("the page (skipped where no Chromium is found; MM_CHROMIUM may name one)", () => {
  let folder: string;
  let server: RunningViewer;
  let browser: Browser;

  beforeAll(async () => {
    await selectBackend("wasm");
    folder = mkdtempSync(join(tmpdir(), "mm-view-"));
    const viewer = createViewer({ page: await builtPage(), runs: join(folder, "runs"), ...smallModels() });
    server = await serveOnLoopback(viewer, { host: "127.0.0.1", port: 0 });
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("draws the curve of a run, and draws on as rows are appended", async () => {
    const run = startRun(join(folder, "runs"), "under-way");
    for (const step of [10, 20, 30]) run.metrics.append([row(run, step, "loss", 5 - step / 20)]);
    const { page, complaints } = await openPage(browser, server.url);
    const curve = page.locator('[data-curve="under-way train"] polyline').first();
    const length = async () => (await curve.getAttribute("points"))!.split(" ").length;
    await curve.waitFor({ state: "attached" });
    expect(await length()).toBe(3);
    run.metrics.append([row(run, 40, "loss", 3), row(run, 50, "loss", 2.5), row(run, 50, "tokensPerSecond", 1234)]);
    await page.waitForFunction(
      () =>
        document.querySelector('[data-curve="under-way train"] polyline')?.getAttribute("points")?.split(" ").length ===
        5,
    );
    const facts = page.locator('[data-run="under-way"]');
    expect(await facts.textContent()).toMatch(/running[\s\S]*train 2.5[\s\S]*tok\/s 1,234[\s\S]*step 50 \/ 100/);
    run.finish();
    await page.waitForSelector('[data-run="under-way"].finished', { state: "attached" });
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("writes names and texts as text, never as markup", async () => {
    const { page, complaints } = await openPage(browser, `${server.url}#inspect`);
    await page.locator("textarea").first().fill('<img src="x" onerror="document.title=1">');
    await page.locator(".failure", { hasText: 'found "<"' }).first().waitFor();
    expect(await page.locator("main img").count()).toBe(0);
    expect(complaints.filter((each) => !each.includes("400"))).toEqual([]);
    await page.close();
  });

  describe("the inspector", () => {
    let page: Page;
    let complaints: string[];
    const selected = () => page.locator('.ribbon [aria-selected="true"]');

    beforeAll(async () => {
      ({ page, complaints } = await openPage(browser, `${server.url}#inspect`, { "mm-text": "abc" }));
    });

    it("goes to the end of a text as soon as it shows it", async () => {
      await page.locator("textarea").first().fill("abcabcabd");
      const shown = await page.waitForFunction(() => {
        const tokens = [...document.querySelectorAll(".ribbon button")];
        return tokens.length === 9 && tokens.map((token) => token.getAttribute("aria-selected")).join(" ");
      });
      expect(await shown.jsonValue()).toMatch(/^(false ){8}true$/);
    });

    it("steps through tokens with the arrow keys", async () => {
      // Until both models have read the text, it may be read anew.
      for (const column of ["first", "last"]) await page.waitForSelector(`.column:${column}-child .head`);
      await page.keyboard.press("Escape");
      expect(await selected().textContent()).toBe("d");
      await page.keyboard.press("ArrowLeft");
      expect(await selected().textContent()).toBe("b");
      await page.keyboard.press("Home");
      expect(await selected().textContent()).toBe("a");
      await page.keyboard.press("ArrowLeft");
      await page.keyboard.press("ArrowRight");
      expect(await selected().textContent()).toBe("b");
      await page.keyboard.press("End");
      expect(await selected().textContent()).toBe("d");
    });

    it("shows both models: heads with strips, slots and words, and what comes next", async () => {
      expect(await page.locator(".column:visible").count()).toBe(2);
      await page.waitForSelector(".column:first-child .strip rect", { state: "attached" });
      const first = page.locator(".column").first();
      expect(await first.locator(".branch.contextual .head").count()).toBe(4);
      expect(await first.locator(".branch.persistent .head").first().textContent()).toMatch(/#\d+/);
      expect(await first.locator(".bar").count()).toBe(6);
      expect(await page.locator(".column").last().locator(".branch.mlp .head").count()).toBe(2);
    });

    it("walks through heads up and down, and says what each memory holds", async () => {
      const detail = page.locator(".column.active .detail");
      await detail.locator("mark").nth(2).waitFor();
      expect(await detail.textContent()).toMatch(/λ = [\s\S]*β = /);
      for (let press = 0; press < 2; press++) await page.keyboard.press("ArrowDown");
      await page.waitForFunction(() =>
        document.querySelector(".column.active .detail")?.textContent?.includes("slot "),
      );
      await page.keyboard.press("u");
      await page.waitForSelector(".column.active .uses mark");
      await page.keyboard.press("u");
      await page.keyboard.press("m");
      await page.waitForSelector(".column:last-child.active");
      expect(complaints).toEqual([]);
    });

    it("is light or dark at a key", async () => {
      const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const before = await ground();
      await page.keyboard.press("t");
      expect(await ground()).not.toBe(before);
      await page.keyboard.press("t");
      expect(await ground()).toBe(before);
    });

    it("fits a phone", async () => {
      await page.setViewportSize({ width: 390, height: 800 });
      const overflow = () =>
        page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(await overflow()).toBe(0);
      await page.setViewportSize({ width: 1280, height: 900 });
    });
  });
});
