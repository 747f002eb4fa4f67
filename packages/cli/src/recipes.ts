/** Recipes: named YAML files under `recipes/`, each a whole configuration; the first comment line says what it is for. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { readRecipe, UserError } from "@mm/run";
import { likelyMeant } from "./did-you-mean.js";

const FOLDER = fileURLToPath(new URL("../recipes", import.meta.url));

export function recipes(): { name: string; about: string }[] {
  return readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => ({
      name: file.replaceAll("\\", "/").replace(/\.yaml$/, ""),
      about: /^#\s*(.*)/.exec(readFileSync(join(FOLDER, file), "utf8"))?.[1] ?? "",
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * A recipe by its name in `mm list recipes`, or by the path of a file of your own.
 *
 * @throws UserError when there is neither
 */
export function openRecipe(nameOrPath: string): unknown {
  const shipped = join(FOLDER, `${nameOrPath}.yaml`);
  if (!relative(FOLDER, shipped).startsWith("..") && existsSync(shipped)) return readRecipe(shipped);
  if (existsSync(nameOrPath)) return readRecipe(nameOrPath);
  const names = recipes().map(({ name }) => name);
  const meant = likelyMeant(nameOrPath, names);
  throw new UserError(`Expected a recipe or a YAML file but found none named "${nameOrPath}".`, {
    hint: `${meant ? `Did you mean ${meant}? ` : ""}\`mm list recipes\` shows those that ship; a path to a file of your own works as well.`,
  });
}
