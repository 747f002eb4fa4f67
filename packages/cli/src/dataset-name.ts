import { basename } from "node:path";

/** A folder name from the first input: "texts/Book One.txt.gz" → "book-one". */
export function datasetNameOf(input: string): string {
  const stem = basename(input).replace(/(\.[a-z0-9]+)+$/i, "");
  const name = stem
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return name === "" ? "text" : name;
}
