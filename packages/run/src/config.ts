/**
 * Configuration in three steps: a recipe file (YAML), settings from the command line (`--set model.blocks=2`), and one
 * strict parse against a zod schema. Defaults live in the schemas only; what comes out is passed down as it is.
 */
import { readFileSync } from "node:fs";
import { LineCounter, parseDocument } from "yaml";
import { type output, toJSONSchema, type ZodType } from "zod";
import { explainFileError } from "./atomic-file.js";
import { UserError } from "./errors.js";

/**
 * Reads a YAML file as plain data.
 *
 * @throws UserError naming file and line when it cannot be read or is not YAML
 */
export function readRecipe(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw explainFileError(error, path);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const fault = document.errors[0];
  if (fault !== undefined) {
    const { line, col } = lines.linePos(fault.pos[0]);
    throw new UserError(`Expected YAML in ${path}:${line}:${col}, but: ${fault.message}`, {
      hint: "Check the indentation and quotes around that line.",
      cause: fault,
    });
  }
  return document.toJS() ?? {};
}

/**
 * A copy of `object` with every `a.b=value` applied in order. Values are YAML: `2`, `1e-3`, `true`, `[1, 2]`, `text`.
 *
 * @throws UserError when a setting is not `path=value`, or its path runs through something that has no keys
 */
export function applySettings(object: unknown, settings: readonly string[]): unknown {
  const result: unknown = structuredClone(object ?? {});
  for (const setting of settings) {
    const equals = setting.indexOf("=");
    const path = setting.slice(0, equals).trim().split(".");
    if (equals < 1 || path.includes("")) {
      throw new UserError(`Expected a setting like "model.blocks=2" but found ${JSON.stringify(setting)}.`, {
        hint: "Write --set name=value, with dots between the parts of the name.",
      });
    }
    assign(result, path, parseScalar(setting.slice(equals + 1), setting), setting);
  }
  return result;
}

function parseScalar(text: string, setting: string): unknown {
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0) {
    throw new UserError(
      `Expected a YAML value after "=" in ${JSON.stringify(setting)}, but: ${document.errors[0]!.message}`,
      {
        hint: `Put quotes around the value, as in --set 'name="a: b"'.`,
      },
    );
  }
  return document.toJS();
}

function assign(root: unknown, path: readonly string[], value: unknown, setting: string): void {
  let at = root;
  for (const [depth, key] of path.entries()) {
    if (!hasKeys(at)) {
      const place = depth === 0 ? "the configuration" : path.slice(0, depth).join(".");
      throw new UserError(`Cannot apply "${setting}": ${place} is ${display(at)}, which has no keys.`, {
        hint: "Check the name before the equals sign.",
      });
    }
    if (depth === path.length - 1) define(at, key, value);
    else {
      if (!Object.hasOwn(at, key) || at[key] === null) define(at, key, {});
      at = at[key];
    }
  }
}

/** Defines an own property, so that no name (such as `__proto__`) can reach beyond the object. */
function define(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

function hasKeys(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/**
 * Parses `value` against `schema`; a key which the schema does not know is an error, also under a schema that would
 * drop it silently.
 *
 * @param source where the value comes from, for the message: a file, "--set", …
 * @throws UserError listing path, expected and found for every fault
 */
export function parseConfig<S extends ZodType>(schema: S, value: unknown, { source }: { source: string }): output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) {
    const dropped = droppedKeys(value, parsed.data);
    if (dropped.length === 0) return parsed.data;
    throw invalid(
      source,
      dropped.map((path) => `${path.join(".")}: unknown key`),
      dropped.map((path) => knownKeys(schema, value, path.slice(0, -1))),
    );
  }
  const unknownAt: PropertyKey[][] = [];
  const faults = parsed.error.issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") {
      unknownAt.push(issue.path);
      return issue.keys.map((key) => `${[...issue.path, key].join(".")}: unknown key`);
    }
    const place = issue.path.length === 0 ? "the whole" : issue.path.join(".");
    const problem = issue.message.replace(/^Invalid (input|option): /, "").replace(/, received .*$/, "");
    return [`${place}: ${problem}, found ${display(valueAt(value, issue.path))}`];
  });
  throw invalid(
    source,
    faults,
    unknownAt.map((path) => knownKeys(schema, value, path)),
  );
}

function invalid(source: string, faults: string[], known: (string[] | undefined)[]): UserError {
  const lists = known.flatMap((keys) => (keys === undefined || keys.length === 0 ? [] : [keys.join(", ")]));
  const names = lists.length === 0 ? "Correct the value" : `Known names there: ${[...new Set(lists)].join("; ")}`;
  return new UserError(`Expected a valid configuration in ${source} but found ${faults.join("; ")}.`, {
    hint: `${names}${faults.length > 1 && lists.length === 0 ? "s" : ""}.`,
  });
}

function droppedKeys(given: unknown, kept: unknown, path: string[] = []): string[][] {
  if (!hasKeys(given) || !hasKeys(kept)) return [];
  return Object.keys(given).flatMap((key) => {
    if (given[key] === undefined) return [];
    if (!Object.hasOwn(kept, key)) return [[...path, key]];
    return droppedKeys(given[key], kept[key], [...path, key]);
  });
}

interface JsonSchema {
  const?: unknown;
  properties?: Record<string, JsonSchema>;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
}

/** The names that the schema accepts at a path, over those alternatives of a union whose constants the value has. */
function knownKeys(schema: ZodType, value: unknown, path: readonly PropertyKey[]): string[] | undefined {
  try {
    const root = toJSONSchema(schema, { unrepresentable: "any", io: "input", reused: "inline" }) as JsonSchema;
    let level = alternatives(root);
    for (const key of path) level = level.flatMap((one) => alternatives(one.properties?.[String(key)]));
    const found = valueAt(value, path);
    level = level.filter(({ properties = {} }) =>
      Object.entries(properties).every(([key, one]) => one.const === undefined || one.const === valueAt(found, [key])),
    );
    return [...new Set(level.flatMap((one) => Object.keys(one.properties ?? {})))];
  } catch {
    return undefined;
  }
}

function alternatives(schema: JsonSchema | undefined): JsonSchema[] {
  if (schema === undefined) return [];
  const nested = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [schema, ...nested.flatMap(alternatives)];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) at = hasKeys(at) ? (at as Record<PropertyKey, unknown>)[key] : undefined;
  return at;
}

function display(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "number") return String(value);
  const text = withoutSecrets(JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** An address may hold a password in front of the host, or a key behind the question mark. */
function withoutSecrets(text: string): string {
  return text.replace(/(:\/\/)[^\s"/@]*@/g, "$1…@").replace(/(:\/\/[^\s"?]*\?)[^\s"]*/g, "$1…");
}
