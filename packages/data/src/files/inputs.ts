/** Which files a person means: paths, folders, patterns, and "-" for the standard input. */
import { readdirSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { explainFileError, UserError } from "@mm/run";

export const STANDARD_INPUT = "-";

/**
 * The files in the order given; those of a folder or pattern in the order of their names, with numbers compared as
 * numbers. A folder stands for all files below it with one of the endings.
 *
 * @throws UserError when something matches no file
 */
export function expandInputs(inputs: readonly string[], endings: readonly string[]): string[] {
  if (inputs.length === 0) {
    throw new UserError("Expected at least one file, folder or pattern.", { hint: 'Use "-" for the standard input.' });
  }
  return inputs.flatMap((input) => {
    if (input === STANDARD_INPUT) return [input];
    if (/[*?[{]/.test(input) && !isThere(input)) {
      const pattern = globPattern(input);
      const found = filesBelow(fixedFolder(input)).filter((file) => pattern.test(file.split(sep).join("/")));
      if (found.length === 0) throw new UserError(`Expected files that match "${input}" but found none.`);
      return found;
    }
    let folder: boolean;
    try {
      folder = statSync(input).isDirectory();
    } catch (error) {
      throw explainFileError(error, input);
    }
    if (!folder) return [input];
    const found = filesBelow(input).filter((file) => endings.some((ending) => file.endsWith(ending)));
    if (found.length === 0) {
      throw new UserError(`Expected files in ${input} that end in ${endings.join(", ")} but found none.`, {
        hint: `Name the files, for example "${join(input, "*")}".`,
      });
    }
    return found;
  });
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** The folder in front of the first part with a wildcard. */
function fixedFolder(pattern: string): string {
  const parts = pattern.split("/");
  const first = parts.findIndex((part) => /[*?[{]/.test(part));
  return parts.slice(0, first).join("/") || (pattern.startsWith("/") ? "/" : ".");
}

const byName = new Intl.Collator("en", { numeric: true });

function filesBelow(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => byName.compare(a.name, b.name));
    return entries.flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    });
  } catch (error) {
    throw explainFileError(error, folder);
  }
}

/** `*` and `?` within a name, `**` across folders, `[abc]`, `{this,that}`. */
export function globPattern(glob: string): RegExp {
  let braces = 0;
  const source = glob.replace(/^\.\//, "").replace(/\*\*\/|\*\*|\*|\?|\[!|\[|\]|\{|\}|,|[.+^$()|\\]/g, (part) => {
    if (part === "{") braces++;
    if (part === "}") braces--;
    if (part === "," && braces === 0) return ",";
    return GLOB[part] ?? `\\${part}`;
  });
  return new RegExp(`^${source}$`);
}

const GLOB: Record<string, string> = {
  "**/": "(?:.*/)?",
  "**": ".*",
  "*": "[^/]*",
  "?": "[^/]",
  "[!": "[^",
  "[": "[",
  "]": "]",
  "{": "(?:",
  "}": ")",
  ",": "|",
};
