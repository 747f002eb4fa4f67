/** A real browser for tests, where there is one. */
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Path of a Chromium: of MM_CHROMIUM, or of a usual place. */
export const chromiumPath = [process.env["MM_CHROMIUM"], ...PLACES].find(
  (path): path is string => path !== undefined && existsSync(path),
);

/** Milliseconds: a busy machine may take a while; what never comes still ends the test. */
const PATIENCE = 240_000;

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath!, args: ["--no-sandbox"], timeout: PATIENCE });
}

/** A graphics card in software, of Debian's chromium. */
const SOFTWARE_GPU = "/usr/lib/chromium/vk_swiftshader_icd.json";

/** A browser with WebGPU computed in software; nothing where there is none. */
export async function launchWithWebGpu(): Promise<Browser | undefined> {
  if (chromiumPath === undefined || !existsSync(SOFTWARE_GPU)) return undefined;
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    args: ["--no-sandbox", "--enable-unsafe-webgpu", "--enable-features=Vulkan", "--use-webgpu-adapter=swiftshader"],
    env: { ...process.env, VK_DRIVER_FILES: SOFTWARE_GPU } as Record<string, string>,
    timeout: PATIENCE,
  });
  return browser;
}

/**
 * A page that collects what its scripts complain about.
 *
 * @param stored what it kept from an earlier visit
 */
export async function openPage(browser: Browser, url: string, stored: Record<string, string> = {}) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(PATIENCE);
  await page.addInitScript((items) => {
    for (const [key, value] of Object.entries(items)) localStorage.setItem(key, value);
  }, stored);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await page.goto(url);
  return { page, complaints };
}

export type { Browser, Page };
