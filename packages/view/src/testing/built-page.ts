/** The page, built in a process of its own: Vite's native part does not know the objects of jest's realm. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const LOADER = fileURLToPath(new URL("../../../../scripts/typescript-loader.js", import.meta.url));
const BUILDER = new URL("../build-page.ts", import.meta.url).href;

/** Folder of the page. */
export async function builtPage(): Promise<string> {
  const script = `const { buildPage } = await import(${JSON.stringify(BUILDER)}); process.stdout.write(await buildPage());`;
  const flags = ["--conditions=mm-src", "--no-warnings", "--import", LOADER, "--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { env: { ...process.env, NODE_OPTIONS: "" } });
  return stdout;
}
