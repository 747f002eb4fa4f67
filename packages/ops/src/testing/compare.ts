/** Compares a function on a backend with its plain definition on the cpu backend: values, gradients, leaks. */
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { selectBackend } from "../backends/select.js";
import type { OpCase, Values } from "./op-cases.js";

export interface Outcome {
  /** Of the result, and of the gradient of each input (for a fixed random direction of the result). */
  readonly values: Record<string, Float32Array>;
  /** Tensors that stayed behind, result and gradients disposed. */
  readonly leaked: number;
}

/** Runs a case, or its definition, on the active backend. */
export function evaluate({ inputs, differentiable }: OpCase, operation: OpCase["run"]): Outcome {
  const before = tf.memory().numTensors;
  const dataBefore = tf.backend().numDataIds();
  const names = Object.keys(inputs);
  const tensors = names.map((name) => tensorOf(inputs[name]!));
  const call = (...given: tf.Tensor[]) => operation(Object.fromEntries(names.map((name, at) => [name, given[at]!])));
  const values: Record<string, Float32Array> = {};
  if (differentiable === false) {
    values["value"] = read(tf.tidy(() => call(...tensors)));
  } else {
    const gradients = tf.tidy(() => {
      const { grads } = tf.valueAndGrads((...given) => {
        const result = call(...given);
        values["value"] = Float32Array.from(result.dataSync());
        return tf.sum(tf.mul(result, tensorOf(direction(result.shape))));
      })(tensors);
      return grads;
    });
    gradients.forEach((gradient, at) => {
      values[`gradient of ${names[at]}`] = read(gradient);
    });
  }
  tf.dispose(tensors);
  const leaked = tf.memory().numTensors - before + (tf.backend().numDataIds() - dataBefore);
  return { values, leaked };
}

/** The weights of the result's entries in the scalar whose gradient is compared. */
export function direction(shape: number[]): Values {
  return { shape, values: Rng.fromSeed(7).fork("direction").normals(tf.util.sizeFromShape(shape)) };
}

export function tensorOf({ values, shape }: Values): tf.Tensor {
  return tf.tensor(values.slice(), shape);
}

function read(tensor: tf.Tensor): Float32Array {
  const values = Float32Array.from(tensor.dataSync());
  tensor.dispose();
  return values;
}

/** The definition's outcome on the cpu backend, kept for the next backend. */
const references = new Map<OpCase, Outcome>();

async function reference(opCase: OpCase): Promise<Outcome> {
  const known = references.get(opCase);
  if (known !== undefined) return known;
  await selectBackend("cpu");
  const outcome = evaluate(opCase, opCase.plain);
  references.set(opCase, outcome);
  return outcome;
}

/**
 * Checks a case on a backend.
 *
 * @returns what is wrong, a line each; empty when all is well
 */
export async function compare(opCase: OpCase, backend: string): Promise<string[]> {
  const expected = await reference(opCase);
  await selectBackend(backend);
  const found = evaluate(opCase, opCase.run);
  const problems = Object.entries(expected.values).flatMap(([name, wanted]) => {
    const tolerance = (opCase.tolerance ?? 2e-5) * (name === "value" ? 1 : 10);
    const error = worstError(found.values[name]!, wanted);
    return error <= tolerance
      ? []
      : [`${name}: error ${error.toExponential(1)} of the largest entry, allowed ${tolerance}`];
  });
  if (found.leaked !== 0) problems.push(`${found.leaked} tensors or buffers leaked`);
  return problems;
}

/** Greatest difference relative to the largest entry (at least 0.1); infinite where only one side is NaN. */
export function worstError(found: Float32Array, wanted: Float32Array): number {
  if (found.length !== wanted.length) return Number.POSITIVE_INFINITY;
  let largest = 0.1;
  for (const value of wanted) if (Math.abs(value) > largest) largest = Math.abs(value);
  let worst = 0;
  wanted.forEach((value, at) => {
    const other = found[at]!;
    if (Number.isNaN(value) && Number.isNaN(other)) return;
    const error = Math.abs(other - value) / largest;
    worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
  });
  return worst;
}
