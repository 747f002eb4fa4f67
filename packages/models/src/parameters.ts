/**
 * Parameters as plain tables (name → shape and initial distribution), declared beside the formula that uses them. A
 * table can be counted, saved, compared or filled from a file without a tensor being made.
 */
import type { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { normals } from "./normals.js";

/** Draws the initial values of one parameter from its own stream. */
export type Initial = (rng: Rng, size: number) => Float32Array;

export interface Parameter {
  readonly shape: readonly number[];
  readonly initial: Initial;
  /** Whether weight decay applies; by default to everything with at least two dimensions. */
  readonly decayed?: boolean;
}

/** Parameters by name, in the order in which they are stored. */
export type ParameterTable = Readonly<Record<string, Parameter>>;

export const normal =
  (deviation: number): Initial =>
  (rng, size) =>
    normals(rng.key, size, deviation);

/** Normal, with what lies beyond three deviations put there. */
export const clippedNormal =
  (deviation: number): Initial =>
  (rng, size) =>
    normals(rng.key, size, deviation).map((value) => Math.max(-3 * deviation, Math.min(3 * deviation, value)));

export const uniform =
  (low: number, high: number): Initial =>
  (rng, size) =>
    rng.uniforms(size, low, high);

export const constant =
  (value: number): Initial =>
  (_rng, size) =>
    new Float32Array(size).fill(value);

/** Evenly spaced from `first` to `last`, both included; a single value is `first`. */
export const evenlySpaced =
  (first: number, last: number): Initial =>
  (_rng, size) =>
    Float32Array.from({ length: size }, (_, i) => (size === 1 ? first : first + ((last - first) * i) / (size - 1)));

/** The same table with every name prefixed: `under("blocks.0", table)`. */
export function under(prefix: string, table: ParameterTable): ParameterTable {
  return Object.fromEntries(Object.entries(table).map(([name, parameter]) => [`${prefix}.${name}`, parameter]));
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** Number of trainable numbers in a table. */
export function countParameters(table: ParameterTable): number {
  return Object.values(table).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** Weight decay applies to matrices and larger, unless the parameter says otherwise. */
export function isDecayed(parameter: Parameter): boolean {
  return parameter.decayed ?? parameter.shape.length >= 2;
}

/** Makes the variables of a table from the values that `fill` gives for each. */
export function makeVariables(
  table: ParameterTable,
  fill: (name: string, parameter: Parameter) => Float32Array,
): Record<string, tf.Variable> {
  const variables: Record<string, tf.Variable> = {};
  for (const [name, parameter] of Object.entries(table)) {
    const initial = tf.tensor(fill(name, parameter), [...parameter.shape], "float32");
    variables[name] = tf.variable(initial);
    initial.dispose();
  }
  return variables;
}

/** Draws every parameter from the stream named after it, so a new parameter shifts nobody else's numbers. */
export function initialise(table: ParameterTable, rng: Rng): Record<string, tf.Variable> {
  return makeVariables(table, (name, { initial, shape }) => initial(rng.fork(name), sizeOf(shape)));
}
