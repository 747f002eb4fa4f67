/**
 * One contextual memory alone, without embedding, leaky average and norms: what the paper studies on the three moons.
 *
 *   k_t = W_φ x_t,   v_t = W_ψ x_{t+1},   y_t = W_z Σ_{j < t} softmax_j(β k_t · k_j) v_j        y_t predicts x_{t+1}
 *
 * The norms, the learned key scale and the sum of heads are variants of the published code, kept for its golden numbers.
 */
import { causalRead, linear, splitHeads, writeRows } from "@mm/ops";
import type { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { constant, initialise, makeVariables, type ParameterTable, uniform } from "../parameters.js";
import { causalWeights } from "../read-weights.js";
import { complexified } from "./complex-map.js";
import type { MoonMemoryConfig } from "./config.js";

/** Stored pairs, heads side by side: [batch, time, heads · features] each. */
export interface StoredPairs {
  readonly keys: tf.Tensor3D;
  readonly values: tf.Tensor3D;
}

export const MAPS = { keys: "k_lin.weight", values: "v_lin.weight", output: "out_proj.weight" } as const;
const KEY_SCALE = "key_scale";
/** Added to a length before dividing by it. */
const NORM_EPSILON = 1e-3;

export class MoonMemory {
  static parameters({ inputs, heads, features, output, scaleKeys }: MoonMemoryConfig): ParameterTable {
    const width = heads * features;
    const map = (rows: number, columns: number) => ({
      shape: [rows, columns],
      initial: uniform(-1 / Math.sqrt(columns), 1 / Math.sqrt(columns)),
    });
    return {
      [MAPS.keys]: map(width, inputs),
      [MAPS.values]: map(width, inputs),
      ...(output === "projection" ? { [MAPS.output]: map(inputs, width) } : {}),
      ...(scaleKeys ? { [KEY_SCALE]: { shape: [], initial: constant(1) } } : {}),
    };
  }

  static create(config: MoonMemoryConfig, rng: Rng): MoonMemory {
    return new MoonMemory(config, initialise(MoonMemory.parameters(config), rng));
  }

  /** @param weights by name, of the sizes that the configuration asks for */
  static withWeights(config: MoonMemoryConfig, weights: Readonly<Record<string, ArrayLike<number>>>): MoonMemory {
    const fill = (name: string, { shape }: { shape: readonly number[] }) => {
      const values = weights[name];
      const size = shape.reduce((product, side) => product * side, 1);
      if (values?.length !== size)
        throw new Error(`expected ${size} numbers for ${name}, found ${values?.length ?? "none"}`);
      return Float32Array.from(values);
    };
    return new MoonMemory(config, makeVariables(MoonMemory.parameters(config), fill));
  }

  private constructor(
    readonly config: MoonMemoryConfig,
    readonly variables: Readonly<Record<string, tf.Variable>>,
  ) {}

  /** The matrix that a map multiplies with: [out, in]. */
  weight(map: keyof typeof MAPS): tf.Tensor2D {
    const variable = this.variables[MAPS[map]];
    if (variable === undefined) throw new Error(`this memory has no map to ${map}`);
    const weight = variable as tf.Tensor as tf.Tensor2D;
    return this.config.complex ? complexified(weight) : tf.clone(weight);
  }

  /** What a sequence [batch, time, inputs] leaves in the memory; the value of the last step is still unknown: zero. */
  store(x: tf.Tensor3D): StoredPairs {
    return tf.tidy(() => ({ keys: this.keys(x), values: this.values(x) }));
  }

  /** y_t for every step of the true sequence: [batch, time, inputs] → the same. */
  predict(x: tf.Tensor3D): tf.Tensor3D {
    return tf.tidy(() => {
      const { shift, ban } = this.config;
      const { keys, values } = this.store(x);
      return this.read(keys, { keys, values }, shift + ban, 0);
    });
  }

  /** With which weights each step reads each earlier one: [batch, heads, time, time]. */
  attention(x: tf.Tensor3D): tf.Tensor4D {
    return tf.tidy(() => {
      const { heads, shift, ban, scale } = this.config;
      const keys = this.keys(x);
      return causalWeights(keys, keys, { heads, nearest: shift + ban, scale });
    });
  }

  /**
   * Predictions of the `count` steps after a prompt [batch, time, inputs]: the first follows from the prompt, each
   * later one from the prediction before it.
   *
   * As in the published code, a step is stored when it is fed in, and by then its value (which looks one step ahead) is
   * unknown; it stays zero. So neither the prompt's last step nor any generated one ever has a value, though all of them
   * are read from: they only take weight. `cache: false` computes everything anew from the extended sequence at every
   * step, in which they do have values.
   *
   * @returns [batch, count, inputs]
   */
  generate(prompt: tf.Tensor3D, count: number, { cache }: { cache: boolean }): tf.Tensor3D {
    return tf.tidy(() => (cache ? this.generateCached(prompt, count) : this.generateAnew(prompt, count)));
  }

  /** Keys of heads apart: [batch, time, heads · features] → [batch, heads, time, features]. */
  apart(pairs: tf.Tensor3D): tf.Tensor4D {
    return splitHeads(pairs, this.config.heads);
  }

  dispose(): void {
    tf.dispose(Object.values(this.variables));
  }

  private generateCached(prompt: tf.Tensor3D, count: number): tf.Tensor3D {
    const { shift, ban } = this.config;
    const time = prompt.shape[1];
    const { keys, values } = this.store(prompt);
    const made = [this.read(lastStep(keys), { keys, values }, shift + ban, time - 1)];
    // Room for the steps to come, which are not read before they are written; their values stay zero.
    const stored = { keys: withRoom(keys, count), values: withRoom(values, count) };
    while (made.length < count) {
      const at = time + made.length - 1;
      const fed = this.keys(made.at(-1)!);
      writeRows(stored.keys, at, fed);
      made.push(this.read(fed, stored, 1, at));
    }
    tf.dispose([stored.keys, stored.values]);
    return tf.concat(made, 1);
  }

  private generateAnew(prompt: tf.Tensor3D, count: number): tf.Tensor3D {
    const { shift, ban } = this.config;
    let sequence = prompt;
    for (let made = 0; made < count; made++) {
      const stored = this.store(sequence);
      const next = this.read(lastStep(stored.keys), stored, shift + ban, sequence.shape[1] - 1);
      sequence = tf.concat([sequence, next], 1);
    }
    return tf.slice(sequence, [0, prompt.shape[1], 0], [-1, count, -1]);
  }

  private keys(x: tf.Tensor3D): tf.Tensor3D {
    const keys = this.normalised(linear(x, this.weight("keys")) as tf.Tensor3D, this.config.normKeys);
    return this.config.scaleKeys ? tf.mul(keys, tf.exp(this.variables[KEY_SCALE]!)) : keys;
  }

  private values(x: tf.Tensor3D): tf.Tensor3D {
    const [batch, time] = x.shape;
    const { shift, heads, features } = this.config;
    if (time <= shift) return tf.zeros([batch, time, heads * features]);
    const ahead = tf.slice(x, [0, shift, 0], [-1, time - shift, -1]);
    const known = this.normalised(linear(ahead, this.weight("values")) as tf.Tensor3D, this.config.normValues);
    return tf.pad3d(known, [
      [0, 0],
      [0, shift],
      [0, 0],
    ]);
  }

  /** Each head's features z become z/(‖z‖ + ε). */
  private normalised(z: tf.Tensor3D, wanted: boolean): tf.Tensor3D {
    if (!wanted) return z;
    const [batch, time, width] = z.shape;
    const heads = tf.reshape(z, [batch, time, this.config.heads, this.config.features]);
    const unit = tf.div(heads, tf.add(tf.norm(heads, 2, -1, true), NORM_EPSILON));
    return tf.reshape(unit, [batch, time, width]);
  }

  private read(queries: tf.Tensor3D, { keys, values }: StoredPairs, nearest: number, offset: number): tf.Tensor3D {
    const { heads, scale, output } = this.config;
    const read = causalRead(queries, keys, values, { heads, nearest, scale, offset });
    if (output === "projection") return linear(read, this.weight("output")) as tf.Tensor3D;
    return tf.sum<tf.Tensor3D>(this.apart(read), 1);
  }
}

function lastStep(x: tf.Tensor3D): tf.Tensor3D {
  return tf.slice(x, [0, x.shape[1] - 1, 0], [-1, 1, -1]);
}

/** A table that begins with these rows, and has `count` more of zeros. */
function withRoom(rows: tf.Tensor3D, count: number): tf.Variable<tf.Rank.R3> {
  return tf.variable(
    tf.pad3d(rows, [
      [0, 0],
      [0, count],
      [0, 0],
    ]),
    false,
  );
}
