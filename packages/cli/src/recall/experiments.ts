/** Which recall trainings a command line asks for: tasks × models × seeds. */
import { applySettings, parseConfig } from "@mm/run";
import { RECALL_TASKS, RecallConfig, type RecallTaskName } from "@mm/train";
import { openRecipe, recipes } from "../recipes.js";

export interface RecallExperiment {
  /** Name of the run. */
  readonly name: string;
  readonly model: string;
  readonly task: RecallTaskName;
  readonly config: RecallConfig;
}

export interface RecallChoice {
  /** Recipes `recall/MODEL`; default: all. */
  readonly models?: readonly string[] | undefined;
  readonly tasks?: readonly RecallTaskName[] | undefined;
  readonly seeds: readonly number[];
  readonly steps?: number | undefined;
  readonly set: readonly string[];
  /** Ends the names of the runs. */
  readonly suffix?: string | undefined;
}

/** Every combination, the first seed of all first: so a budget gives every model a point before any gets its second. */
export function recallExperiments({
  models = recallModels(),
  tasks = RECALL_TASKS,
  seeds,
  steps,
  set,
  suffix,
}: RecallChoice): RecallExperiment[] {
  return seeds.flatMap((seed) =>
    tasks.flatMap((task) =>
      models.map((model) => {
        const settings = [
          `protocol.task=${task}`,
          `protocol.seed=${seed}`,
          ...(steps === undefined ? [] : [`protocol.steps=${steps}`]),
          ...set,
        ];
        const recipe = `recall/${model}`;
        const given = applySettings(openRecipe(recipe), settings);
        const config = parseConfig(RecallConfig, given, { source: `recipe ${recipe} and the flags` });
        const parts = ["recall", task, model, ...(steps === undefined ? [] : [`${steps}steps`]), `seed${seed}`];
        return { name: [...parts, ...(suffix === undefined ? [] : [suffix])].join("-"), model, task, config };
      }),
    ),
  );
}

function recallModels(): string[] {
  const prefix = "recall/";
  return recipes().flatMap(({ name }) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));
}
