/** Which experiments a command line asks for: models or recipes × numbers of environments × seeds. */
import { basename } from "node:path";
import { applySettings, parseConfig } from "@mm/run";
import { openRecipe, recipes } from "../recipes.js";
import { RegBenchRunConfig } from "./config.js";

export interface Experiment {
  /** Name of the run. */
  readonly name: string;
  readonly model: string;
  readonly recipe: string;
  readonly config: RegBenchRunConfig;
}

export interface ExperimentChoice {
  /** Recipes `regbench/MODEL`; for N environments `regbench/MODEL-N` where there is one. */
  readonly models: readonly string[];
  /** Recipes by name or path, taken as they are. */
  readonly recipes: readonly string[];
  /** Default: what the recipe says, else 100. */
  readonly environments?: readonly number[] | undefined;
  readonly seeds: readonly number[];
  readonly epochs?: number | undefined;
  readonly set: readonly string[];
  /** Ends the names of the runs. */
  readonly suffix?: string | undefined;
  /** The name, where there is one experiment only. */
  readonly name?: string | undefined;
}

/** Every combination, small training sets first: so a budget gives every model a point before any gets its second. */
export function experiments(choice: ExperimentChoice): Experiment[] {
  const shipped = new Set(recipes().map(({ name }) => name));
  const ofModels = choice.models.flatMap((model) =>
    (choice.environments ?? [100]).map((environments) => {
      const winner = `regbench/${model}-${environments}`;
      return { recipe: shipped.has(winner) ? winner : `regbench/${model}`, model, environments };
    }),
  );
  const ofRecipes = choice.recipes.flatMap((recipe) =>
    (choice.environments ?? [undefined]).map((environments) => ({ recipe, model: undefined, environments })),
  );
  const all = [...ofModels, ...ofRecipes].flatMap((origin) =>
    choice.seeds.map((seed) => experiment(choice, origin, seed)),
  );
  return all.sort(
    ({ config: { protocol: a } }, { config: { protocol: b } }) => a.environments - b.environments || a.seed - b.seed,
  );
}

interface Origin {
  recipe: string;
  model: string | undefined;
  environments: number | undefined;
}

function experiment(choice: ExperimentChoice, { recipe, model, environments }: Origin, seed: number): Experiment {
  const { epochs, set, suffix } = choice;
  const settings = [
    ...(environments === undefined ? [] : [`protocol.environments=${environments}`]),
    `protocol.seed=${seed}`,
    ...(epochs === undefined ? [] : [`protocol.epochs=${epochs}`]),
    ...set,
  ];
  const given = applySettings(openRecipe(recipe), settings);
  const config = parseConfig(RegBenchRunConfig, given, { source: `recipe ${recipe} and the flags` });
  const size = config.protocol.environments;
  const stem = basename(recipe).replace(/\.(ya?ml|json)$/, "");
  const label = model ?? (stem.endsWith(`-${size}`) ? stem.slice(0, -`-${size}`.length) : stem);
  const parts = [
    "regbench",
    label,
    size,
    ...(epochs === undefined ? [] : [`${epochs}epochs`]),
    `seed${config.protocol.seed}`,
    ...(suffix === undefined ? [] : [suffix]),
  ];
  return { name: choice.name ?? parts.join("-"), model: label, recipe, config };
}
