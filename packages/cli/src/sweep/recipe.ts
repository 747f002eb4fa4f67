/**
 * A sweep's recipe: base configurations and the fields that vary.
 *
 *   kind: regbench
 *   base: regbench/mamba              a recipe, several, or a configuration written out
 *   grid: { model.width: [64, 128], protocol.learningRate: [1e-4, 2.5e-4] }     every combination …
 *   list: [{ model.blocks: 2 }, { model.blocks: 4, model.dropout: 0.2 }]        … with each of these
 *   seeds: [0, 1, 2]
 */
import { createHash } from "node:crypto";
import { applySettings, parseConfig, type TagValue, UserError } from "@mm/run";
import { z } from "zod";
import { openRecipe } from "../recipes.js";
import { type SweepKind, sweepKinds } from "./kinds.js";

const Settings = z.record(z.string().regex(/^[\w-]+(\.[\w-]+)*$/, "expected a field such as model.width"), z.unknown());

export const SweepRecipe = z.strictObject({
  kind: z.enum(Object.keys(sweepKinds) as [SweepKind, ...SweepKind[]]),
  base: z.union([z.string(), z.array(z.string()).min(1), z.record(z.string(), z.unknown())]),
  grid: z.record(Settings.keyType, z.array(z.unknown()).min(1)).default({}),
  list: z.array(Settings).min(1).default([{}]),
  seeds: z.array(z.int().nonnegative()).min(1).default([0]),
});
export type SweepRecipe = z.output<typeof SweepRecipe>;

/** One run of a sweep. */
export interface Configuration {
  /** SHA-256 of the whole configuration, 16 hexadecimal digits. */
  readonly digest: string;
  /** Name of the run: the sweep's and the digest. */
  readonly name: string;
  readonly kind: SweepKind;
  /** The fields that vary in this sweep, with their values here. */
  readonly settings: Readonly<Record<string, TagValue>>;
  readonly seed: number;
  /** Complete, as the run will store it. */
  readonly config: unknown;
}

export interface ExpandOptions {
  readonly name: string;
  /** Settings that hold for every configuration, before those that vary. */
  readonly set?: readonly string[];
  /** Instead of the recipe's. */
  readonly base?: readonly string[] | undefined;
  readonly seeds?: readonly number[] | undefined;
}

/**
 * Every configuration once, in the recipe's order; the last field of the grid varies fastest, seeds vary slowest.
 *
 * @throws UserError naming the settings that make no valid configuration
 */
export function expandSweep(recipe: SweepRecipe, { name, set = [], base, seeds }: ExpandOptions): Configuration[] {
  const { schema, seedField } = sweepKinds[recipe.kind];
  const bases = base ?? recipe.base;
  const origins = typeof bases === "string" ? [bases] : Array.isArray(bases) ? bases : [bases];
  const found = new Map<string, Configuration>();
  for (const seed of seeds ?? recipe.seeds) {
    for (const origin of origins) {
      const start = typeof origin === "string" ? openRecipe(origin) : origin;
      for (const entry of recipe.list) {
        for (const point of product(recipe.grid)) {
          const varied = { ...entry, ...point };
          const words = [...set, ...settingWords(varied), `${seedField}=${seed}`];
          const applied = applySettings(start, words);
          if (recipe.kind === "train") expectDataset(applied);
          const config = parseConfig(schema, applied, {
            source: `${typeof origin === "string" ? origin : "the sweep's base"} with ${words.join(" ")}`,
          });
          const digest = digestOf(config);
          if (found.has(digest)) continue;
          const settings = Object.fromEntries(Object.entries(varied).map(([field, value]) => [field, tagOf(value)]));
          const run = `${name}-${digest}`;
          found.set(digest, { digest, name: run, kind: recipe.kind, settings, seed, config });
        }
      }
    }
  }
  return [...found.values()];
}

/** @throws UserError when a training's configuration names no dataset */
function expectDataset(config: unknown): void {
  if ((config as { dataset?: unknown }).dataset === undefined)
    throw new UserError("Expected a dataset to train on: neither the sweep nor its base names one.", {
      hint: "Build one with mm build-dataset, then add --dataset datasets/NAME.",
    });
}

/** Tags on every row of the run, from which figures make tables. */
export function tagsOf({ settings }: Configuration, sweep: string): Record<string, TagValue> {
  const varied = Object.entries(settings).map(([field, value]) => [`set.${field}`, value] as const);
  return { sweep, ...Object.fromEntries(varied) };
}

/** The digest of a configuration, whatever the order of its fields. */
export function digestOf(config: unknown): string {
  return createHash("sha256").update(canonical(config)).digest("hex").slice(0, 16);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** JSON is YAML, so values go through the road of `--set`. */
function settingWords(varied: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(varied).map(([field, value]) => `${field}=${JSON.stringify(value)}`);
}

function tagOf(value: unknown): TagValue {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : JSON.stringify(value);
}

function product(grid: Readonly<Record<string, readonly unknown[]>>): Record<string, unknown>[] {
  return Object.entries(grid).reduce<Record<string, unknown>[]>(
    (points, [field, values]) => points.flatMap((point) => values.map((value) => ({ ...point, [field]: value }))),
    [{}],
  );
}

/** @throws UserError when the file is no sweep's recipe */
export function openSweep(nameOrPath: string): SweepRecipe {
  return parseConfig(SweepRecipe, openRecipe(nameOrPath), { source: `the sweep ${nameOrPath}` });
}

/** A sweep's name from its recipe: "sweeps/regbench-heads" → "regbench-heads". */
export function sweepName(nameOrPath: string): string {
  const stem = nameOrPath
    .split(/[\\/]/)
    .at(-1)!
    .replace(/\.(ya?ml|json)$/, "");
  if (/^\w[\w.-]*$/.test(stem)) return stem;
  throw new UserError(`Expected a name of letters, digits and . _ - for the sweep but found "${stem}".`, {
    hint: "Give one with --name.",
  });
}
