/** The inner values of a Memory Mosaic, from the embedding to what each memory adds to the residual stream. */
import { leakyAverage, splitHeads } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { modelFromTensors } from "../from-tensors.js";
import { inspect } from "../inspect.js";
import { mosaicConfig } from "./authors-config.js";
import { type Fixture, under } from "./fixture.js";
import { integers, numbers, take } from "./language-model.js";
import { type Measure, relativeToLargest, worstOf } from "./measure.js";

/** Of the largest entry of each tensor. */
const TOLERANCE = 5e-5;

/** Names of the reference → names that our probe gives; the rest of the path is the module's. */
const CONTEXTUAL: Record<string, string> = {
  x_in: "stream",
  ln_out: "input",
  key_linear: "keys.linear",
  key_leaky: "keys.leaky",
  key_normalised: "keys.unit",
  key_scaled: "keys",
  value_normalised: "values.unit",
  value_scaled: "values",
  attention: "weights",
  heads_out: "read",
  out: "output",
};
const PERSISTENT: Record<string, string> = {
  x_in: "stream",
  ln_out: "input",
  key_leaky: "keys.leaky",
  key_normalised: "keys.unit",
  key_scaled: "keys",
  read: "read",
  read_scaled: "values",
  out: "output",
};

export async function intermediatesParity(fixture: Fixture): Promise<Measure[]> {
  const config = mosaicConfig(fixture);
  const { file, weights } = weightsOf(fixture);
  const model = modelFromTensors(config, weights, file);
  const tokens = integers(fixture.tensors["tokens"]!);
  const values = inspect(model, tokens);
  try {
    const errors: Record<string, number> = {};
    for (const [name, { shape, data }] of Object.entries(fixture.tensors)) {
      if (name === "tokens") continue;
      const actual = tf.tidy(() => arrange(find(values, name), shape, config.heads));
      errors[name] = relativeToLargest(await take(actual), numbers(data));
    }
    return [worstOf("inner values", errors, TOLERANCE)];
  } finally {
    tf.dispose([tokens, values]);
    model.dispose();
  }
}

/** The weights that a result was computed with: those of the file that its entry names, `mm_a` by default. */
export function weightsOf({ entry, sibling }: Fixture) {
  const text = String(entry["weights"] ?? entry["init"] ?? "");
  const file = /\S+\.safetensors/.exec(text)?.[0] ?? "mm_a.safetensors";
  return { file, weights: under(sibling(file), "param/") };
}

function find(values: Record<string, tf.Tensor>, name: string): tf.Tensor {
  if (name === "emb_out") return values["embedding"]!;
  const matrix = /^leaky_matrix\.layer(\d+)\.ctx$/.exec(name);
  if (matrix) return leakyMatrix(values[`blocks.${matrix[1]}.attn.keys.rate`] as tf.Tensor1D, timeOf(values));
  const [, layer, memory, part] = /^layer(\d+)\.(ctx|pmem)\.(\w+)$/.exec(name) ?? [];
  const ours =
    memory === "ctx" ? `attn.${CONTEXTUAL[part!]}` : memory === "pmem" ? `pmem.${PERSISTENT[part!]}` : undefined;
  const value = values[`blocks.${layer}.${ours}`];
  if (value === undefined) throw new Error(`no inner value of ours corresponds to ${name}`);
  return value;
}

function timeOf(values: Record<string, tf.Tensor>): number {
  return values["embedding"]!.shape[1]!;
}

/** Ours has heads side by side, the reference apart. */
function arrange(value: tf.Tensor, shape: readonly number[], heads: number): tf.Tensor {
  return value.rank === 3 && shape.length === 4 ? splitHeads(value as tf.Tensor3D, heads) : tf.clone(value);
}

/** The leaky average as a matrix (1−e^{−λ}) e^{−λ(t−j)}: its response to a single one at each j: [1, heads, t, j]. */
function leakyMatrix(rate: tf.Tensor1D, time: number): tf.Tensor4D {
  const heads = rate.shape[0];
  const impulses = tf.tile(tf.expandDims(tf.eye(time), 2), [1, 1, heads]) as tf.Tensor3D; // [j, t, heads]
  return tf.expandDims(tf.transpose(leakyAverage(impulses, rate), [2, 1, 0]), 0);
}
