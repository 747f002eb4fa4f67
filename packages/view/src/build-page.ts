/**
 * The page, built by Vite the first time it is needed and whenever its sources change. It lies in `dist/page-KEY`, KEY
 * naming the state of the sources, and appears there whole: several commands may build at the same time.
 */
import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { explainFileError } from "@mm/run";

const packages = fileURLToPath(new URL("../..", import.meta.url));
const here = join(packages, "view");
/** Packages whose sources the page contains. */
const CONTENT = ["view", "models", "ops", "run"];

/**
 * Builds the page unless it is there.
 *
 * @returns its folder
 * @throws UserError when the checkout may not be written
 */
export async function buildPage({ onBuild }: { onBuild?: () => void } = {}): Promise<string> {
  const folder = join(here, "dist", `page-${stateOfSources()}`);
  if (existsSync(folder)) return folder;
  onBuild?.();
  const { build, defaultClientConditions } = await import("vite");
  const unfinished = `${folder}.building-${process.pid}`;
  try {
    await build({
      root: join(here, "src", "page"),
      base: "./",
      configFile: false,
      logLevel: "error",
      resolve: {
        conditions: ["mm-src", ...defaultClientConditions],
        alias: [
          // What runs without files; and of TF.js its core alone: layers, data and WebGL are never used.
          { find: /^@mm\/(run|models)$/, replacement: join(packages, "$1", "src", "browser.ts") },
          { find: /^@mm\/ops$/, replacement: join(packages, "ops", "src", "index.ts") },
          { find: /^@tensorflow\/tfjs$/, replacement: join(here, "src", "page", "exported", "tensorflow.ts") },
        ],
      },
      build: {
        ...{ outDir: unfinished, target: "es2022", assetsInlineLimit: 0, chunkSizeWarningLimit: 4096 },
        // Browsers that know light-dark(): in its place there would be a media query, deaf to a chosen theme.
        cssTarget: ["chrome123", "firefox120", "safari17.5"],
      },
    });
    moveUnlessThere(unfinished, folder);
  } catch (error) {
    throw explainFileError(error, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  removeOld(folder);
  return folder;
}

function moveUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

/** Changes when a source changes, comes or goes. */
function stateOfSources(): string {
  let state = 0;
  for (const name of CONTENT) {
    const folder = join(packages, name, "src");
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (!/\.(ts|html|css)$/.test(file) || /\.test\.ts$/.test(file)) continue;
      state = (Math.imul(state, 31) + Math.floor(statSync(join(folder, file)).mtimeMs)) | 0;
    }
  }
  return (state >>> 0).toString(36);
}

const DAY = 86_400_000;

/** Pages of earlier sources; a running viewer may still show yesterday's. */
function removeOld(current: string): void {
  const dist = join(here, "dist");
  for (const name of readdirSync(dist)) {
    const folder = join(dist, name);
    // Gone meanwhile: another build has given it its name.
    const changed = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
    if (name.startsWith("page-") && folder !== current && changed < Date.now() - DAY)
      rmSync(folder, { recursive: true, force: true });
  }
}
