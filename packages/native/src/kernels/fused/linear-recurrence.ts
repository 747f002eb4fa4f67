import type { TensorInfo } from "@tensorflow/tfjs";
import { kernel } from "../../kernel.js";

/** batch, time, width, and whether the decay is the same everywhere */
function shapeOf(states: TensorInfo, decay: TensorInfo): (number | boolean)[] {
  return [...states.shape, decay.shape.length === 1];
}

export const linearRecurrence = kernel<"decay" | "input" | "initial">(
  "LinearRecurrence",
  ({ inputs: { decay, input, initial }, backend }) => {
    const states = backend.output(input.shape);
    backend.run("linearRecurrence", decay, input, initial, states, ...shapeOf(states, decay));
    return [states];
  },
);

export const linearRecurrenceGrad = kernel<"decay" | "states" | "initial" | "dy">(
  "LinearRecurrenceGrad",
  ({ inputs: { decay, states, initial, dy }, backend }) => {
    const [dDecay, dInput] = [backend.output(decay.shape), backend.output(states.shape)];
    const dInitial = initial === undefined ? undefined : backend.output(initial.shape);
    const shape = shapeOf(states, decay);
    backend.run("linearRecurrenceGrad", decay, states, initial, dy, dDecay, dInput, dInitial, ...shape);
    return dInitial === undefined ? [dDecay, dInput] : [dDecay, dInput, dInitial];
  },
);
