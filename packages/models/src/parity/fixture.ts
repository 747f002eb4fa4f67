/**
 * A parity folder: an index of golden results of published code, and one safetensors file for each. Index entries say
 * which kind of result they hold; the fields of each kind are read by the check of that kind.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { explainFileError, UserError } from "@mm/run";
import { z } from "zod";
import { readSafetensors, type SafetensorsFile } from "../safetensors.js";

const Entry = z.looseObject({ file: z.string(), kind: z.string() });
export type FixtureEntry = z.output<typeof Entry>;

export interface Fixture {
  readonly entry: FixtureEntry;
  readonly tensors: SafetensorsFile["tensors"];
  /** Reads another file of the folder: some results belong to weights stored once. */
  sibling(file: string): SafetensorsFile["tensors"];
}

const INDEX_NAMES = ["models.json", "index.json"];
/** An experiment of its own: one file, described by one object. */
const THREE_MOONS = "three_moons";

/**
 * The entries of a folder's index.
 *
 * @throws UserError when the folder has no readable index
 */
export function readIndex(folder: string): FixtureEntry[] {
  const name = INDEX_NAMES.find((candidate) => existsSync(join(folder, candidate)));
  const moons = join(folder, `${THREE_MOONS}.json`);
  const own = existsSync(moons)
    ? readEntries(
        moons,
        Entry.omit({ kind: true }).transform((one) => [{ ...one, kind: THREE_MOONS }]),
      )
    : [];
  if (name === undefined && own.length > 0) return own;
  if (name === undefined)
    throw new UserError(`Expected a parity folder with ${INDEX_NAMES.join(" or ")}, found none in ${folder}.`, {
      hint: "Give the folder that holds the golden numbers.",
    });
  return [...readEntries(join(folder, name), z.array(Entry)), ...own];
}

function readEntries(path: string, schema: z.ZodType<FixtureEntry[]>): FixtureEntry[] {
  try {
    return schema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError)
      throw new UserError(`Expected a JSON list of entries with file and kind in ${path}, found something else.`, {
        hint: "The index is damaged or of another format.",
        cause: error,
      });
    throw explainFileError(error, path);
  }
}

export function openFixture(folder: string, entry: FixtureEntry): Fixture {
  const sibling = (file: string) => readSafetensors(join(folder, file)).tensors;
  return { entry, tensors: sibling(entry.file), sibling };
}

/** The tensors under a prefix, without it: `under(tensors, "param/")`. */
export function under(tensors: SafetensorsFile["tensors"], prefix: string): SafetensorsFile["tensors"] {
  return Object.fromEntries(
    Object.entries(tensors)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
}
