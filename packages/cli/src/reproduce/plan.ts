/** What a reproduction would do and take, before it begins. */
import type { TrainConfig } from "@mm/train";
import { measureSpeed } from "./cost.js";
import { type PartName, placeOf, tasksOf } from "./parts.js";
import type { ScaleName } from "./scales.js";
import type { Cost, Task } from "./task.js";

export interface PlannedTask extends Partial<Cost> {
  name: string;
  done: boolean;
  /** Expected, at the measured speed. */
  seconds?: number;
}

export interface Plan {
  tasks: PlannedTask[];
  /** Operations per second of one training step on this machine; null where nothing is left to train. */
  measuredFlops: number | null;
}

/** Measures this machine with one block of the first language model that is still to be trained. */
export async function planReproduction(names: readonly PartName[], scaleName: ScaleName): Promise<Plan> {
  const tasks = tasksOf(names, placeOf(scaleName)).map((task) => ({ task, done: task.done() }));
  const first = tasks.find(({ task, done }) => !done && configOf(task) !== undefined);
  const measuredFlops = first === undefined ? null : await measureSpeed(configOf(first.task)!);
  return {
    measuredFlops,
    tasks: tasks.map(({ task: { name, cost }, done }) => ({
      name,
      done,
      ...cost,
      ...(cost !== undefined && measuredFlops !== null && !done && { seconds: cost.flops / measuredFlops }),
    })),
  };
}

function configOf(task: Task & { config?: TrainConfig }): TrainConfig | undefined {
  return task.config;
}
