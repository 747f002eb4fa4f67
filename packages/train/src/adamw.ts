/**
 * AdamW with the authors' groups: weight decay on some parameters (in the paper, tensors of two and more dimensions),
 * and one clipping to the global norm over all. The arithmetic is `adamWStep` of @mm/ops; here live the moments. A
 * parameter without a gradient is left alone: no decay, no moments.
 */
import { type AdamWParameter, adamWStep } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import type { OptimizerConfig } from "./config.js";

export interface Moments {
  first: tf.Variable;
  second: tf.Variable;
}

export class AdamW {
  readonly settings: OptimizerConfig;
  /** By parameter name; zero at the start. */
  readonly moments: Readonly<Record<string, Moments>>;
  /** Steps done. */
  steps = 0;
  readonly #variables: Readonly<Record<string, tf.Variable>>;
  readonly #decayed: (name: string) => boolean;

  /** @param decayed whether weight decay applies to the parameter of this name */
  constructor(
    variables: Readonly<Record<string, tf.Variable>>,
    decayed: (name: string) => boolean,
    settings: OptimizerConfig,
  ) {
    this.settings = settings;
    this.#variables = variables;
    this.#decayed = decayed;
    this.moments = Object.fromEntries(
      Object.entries(variables).map(([name, { shape }]) => [name, { first: zeros(shape), second: zeros(shape) }]),
    );
  }

  /**
   * Updates the variables in place.
   *
   * @param gradients by parameter name; the caller frees them
   * @returns the global norm of the gradients before clipping
   */
  async step(gradients: Readonly<Record<string, tf.Tensor>>, learningRate: number): Promise<number> {
    this.steps++;
    const parameters = Object.entries(gradients).map(
      ([name, gradient]): AdamWParameter => ({
        parameter: this.#variables[name]!,
        gradient,
        ...this.moments[name]!,
        decayed: this.#decayed(name),
      }),
    );
    const norm = adamWStep(parameters, { ...this.settings, learningRate, step: this.steps });
    const [value] = await norm.data();
    norm.dispose();
    return value!;
  }

  dispose(): void {
    for (const { first, second } of Object.values(this.moments)) {
      first.dispose();
      second.dispose();
    }
  }
}

function zeros(shape: number[]): tf.Variable {
  return tf.tidy(() => tf.variable(tf.zeros(shape), false));
}
