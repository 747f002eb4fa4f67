/** Unpacks 7z archives, also those in several parts (.7z.001, .7z.002, …), with 7-Zip compiled to WebAssembly. */
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { UserError } from "@mm/run";
import type { SevenZipModuleFactory } from "7z-wasm";

/**
 * Unpacks the archive whose first part is `path` into `folder`; file contents pass through in pieces.
 *
 * @returns the paths of all unpacked files
 * @throws UserError when the archive is damaged or a part is missing
 */
export async function unpackSevenZip(path: string, folder: string): Promise<string[]> {
  const sevenZip = createRequire(import.meta.url)("7z-wasm") as SevenZipModuleFactory;
  const messages: string[] = [];
  const module = await sevenZip({ print: () => {}, printErr: (message) => void messages.push(message) });
  module.FS.mkdir("/in");
  module.FS.mkdir("/out");
  module.FS.mount(module.NODEFS, { root: resolve(dirname(path)) }, "/in");
  module.FS.mount(module.NODEFS, { root: resolve(folder) }, "/out");
  try {
    module.callMain(["x", "-y", "-bd", "-o/out", `/in/${basename(path)}`]);
  } catch (error) {
    messages.push(String(error));
  }
  if (messages.some((message) => message.trim() !== "")) {
    throw new UserError(`Expected a whole 7z archive in ${path} but could not unpack it: ${explain(messages)}.`, {
      hint: "Check that all parts (.7z.001, .7z.002, …) lie in one folder and are complete (a part that is a few lines of text is a Git LFS pointer: fetch the real file).",
    });
  }
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function explain(messages: readonly string[]): string {
  const lines = messages.flatMap((message) => message.split("\n")).map((line) => line.trim());
  return lines
    .filter((line) => line !== "")
    .slice(0, 4)
    .join(" ");
}
