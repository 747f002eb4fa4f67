/** The files of a built page, as responses. */
import { readFileSync, statSync } from "node:fs";
import { basename, extname, join } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".bin": "application/octet-stream",
};

/** Folders of a page, one level deep, whose files have a name that no other content will ever have. */
const LASTING = ["assets", "weights"];

/** The file that a path asks for: `…/`, `…/NAME` or `…/assets/NAME`; nothing when there is none. */
export function pageFile(page: string, path: string): Response | undefined {
  const parts = path.split("/");
  const name = basename(parts.at(-1) || "index.html");
  const folder = LASTING.find((each) => each === parts.at(-2)) ?? "";
  const type = TYPES[extname(name)];
  const file = join(page, folder, name);
  if (type === undefined || !isFile(file)) return undefined;
  return new Response(readFileSync(file), {
    headers: {
      "content-type": type,
      "cache-control": folder === "assets" ? "max-age=31536000, immutable" : "no-cache",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
    },
  });
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
