/** Learning rate by iteration (optimizer steps already done). A new schedule is one file and one line in each table. */
import { z } from "zod";
import { ConstantSchedule, constant } from "./constant.js";
import { CosineSchedule, cosine } from "./cosine.js";
import { StepSchedule, step } from "./step.js";
import { TimmCosineSchedule, timmCosine } from "./timm-cosine.js";

/** A schedule as configured: what depends on the number of steps may be left open. */
export const Schedule = z.discriminatedUnion("kind", [
  CosineSchedule,
  StepSchedule,
  ConstantSchedule,
  TimmCosineSchedule,
]);

/** A schedule with nothing left open. */
export type Schedule =
  | ({ kind: "cosine" } & CosineSchedule)
  | StepSchedule
  | ConstantSchedule
  | ({ kind: "timm-cosine" } & TimmCosineSchedule);

/** The paper warms up for 2000 of 80 000 steps; short runs warm up for a tenth. */
const PAPER_WARMUP = 2000;

/** Settles what the configuration left open, for a training of `steps` steps. */
export function resolveSchedule(schedule: z.output<typeof Schedule>, steps: number): Schedule {
  const tenth = Math.floor(steps / 10);
  switch (schedule.kind) {
    case "cosine":
      return {
        ...schedule,
        warmup: schedule.warmup ?? Math.min(PAPER_WARMUP, tenth),
        decaySteps: schedule.decaySteps ?? steps,
      };
    case "timm-cosine":
      return {
        ...schedule,
        minimum: schedule.minimum ?? schedule.learningRate / 10,
        warmup: schedule.warmup ?? tenth,
        decaySteps: schedule.decaySteps ?? steps,
      };
    default:
      return schedule;
  }
}

/** @param iteration optimizer steps already done: 0 for the first step */
export function learningRateAt(schedule: Schedule, iteration: number): number {
  switch (schedule.kind) {
    case "cosine":
      return cosine(schedule, iteration);
    case "step":
      return step(schedule, iteration);
    case "constant":
      return constant(schedule, iteration);
    case "timm-cosine":
      return timmCosine(schedule, iteration);
  }
}
