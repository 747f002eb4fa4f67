/**
 * The key of an endpoint. It comes from the environment or from a file that nobody else can read, and shows itself
 * nowhere: not in logs, JSON, error messages or `console.log`.
 */
import { readFileSync, statSync } from "node:fs";
import { inspect } from "node:util";
import { explainFileError, UserError } from "@mm/run";

const HIDDEN = "[key hidden]";

export class ApiKey {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** For the Authorization header, and for nothing else. */
  reveal(): string {
    return this.#value;
  }

  /** A text from outside without the key, should it be in there. */
  redact(text: string): string {
    return this.#value === "" ? text : text.replaceAll(this.#value, HIDDEN);
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}

/** Where a key lies; `variable` names an environment variable. */
export interface KeyPlace {
  readonly variable?: string | undefined;
  readonly file?: string | undefined;
}

/** The variable read when nothing else is asked for. */
export const KEY_VARIABLE = "MM_API_KEY";

/**
 * @returns undefined when no key is set and none was asked for: servers of one's own often need none
 * @throws UserError for a missing or empty key that was asked for, or a file that others may read
 */
export function readApiKey({ variable, file }: KeyPlace, environment = process.env): ApiKey | undefined {
  if (file !== undefined) return new ApiKey(checked(keyFile(file), `the file ${file}`));
  const value = environment[variable ?? KEY_VARIABLE];
  if (value !== undefined && value.trim() !== "") {
    return new ApiKey(checked(value, `the environment variable ${variable ?? KEY_VARIABLE}`));
  }
  if (variable === undefined) return undefined;
  throw new UserError(`Expected a key in the environment variable ${variable} but it is not set.`, {
    hint: `Set it in this shell, for example: read -rs ${variable} && export ${variable}`,
  });
}

function keyFile(path: string): string {
  try {
    const { mode, uid } = statSync(path);
    const windows = process.platform === "win32";
    if (!windows && (mode & 0o077) !== 0) {
      throw new UserError(
        `Expected a key file that only you can read but ${path} has the permissions ${(mode & 0o777).toString(8)}.`,
        { hint: `Take them from the others: chmod 600 ${path}` },
      );
    }
    if (!windows && uid !== process.getuid?.()) {
      throw new UserError(`Expected a key file of your own but ${path} belongs to another user.`, {
        hint: "Copy it to a file of yours.",
      });
    }
    return readFileSync(path, "utf8");
  } catch (error) {
    throw explainFileError(error, path);
  }
}

/** The message names the place, never the value. */
function checked(value: string, place: string): string {
  const key = value.trim();
  if (key === "" || /[^\x21-\x7e]/.test(key)) {
    throw new UserError(
      `Expected one key without blanks in ${place} but found ${key === "" ? "nothing" : "other text"}.`,
    );
  }
  return key;
}
