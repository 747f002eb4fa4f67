/**
 * What the parts of a model propose. The final stream x is a sum of what embedding, heads and biases added to it, and
 * everything after it is linear once its spread σ is known:
 *
 *   logits = s · W (g ⊙ (x − mean x)/σ + b),   so a part p gives   s · W (g ⊙ (p − mean p)/σ)
 *
 * and these shares add up to the logits exactly. (Where the stream itself is normalised, `preNorm: false`, blocks rescale
 * what came before, and a share is only what the part would give if it reached the end unchanged.)
 */
import { linear } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { largest } from "../decoding/log-probabilities.js";
import type { LanguageModel } from "../model.js";
import { anatomyOf, type Branch } from "./anatomy.js";
import type { BranchReading, Passage } from "./passage.js";

/** A token that a part speaks for. */
export interface Proposal {
  readonly token: number;
  /** Its share of the token's logit, above its mean share over all tokens. */
  readonly share: number;
}

const EPSILON = 1e-5;

/** σ of the final layer norm at a position. */
export function spreadAt({ stream, width }: Passage, position: number): number {
  const row = stream.subarray(position * width, (position + 1) * width);
  const mean = row.reduce((sum, value) => sum + value, 0) / width;
  const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
  return Math.sqrt(variance + EPSILON);
}

/**
 * Shares of the logits for vectors in the residual stream.
 *
 * @param parts [n, width]
 * @param spread σ of the final layer norm at the position in question
 * @returns [n, vocabulary]
 */
export function logitShares(model: LanguageModel, parts: tf.Tensor2D, spread: number): tf.Tensor2D {
  const { finalNorm, head, logitScale } = anatomyOf(model);
  const variables = model.variables();
  return tf.tidy(() => {
    const centred = tf.sub(parts, tf.mean(parts, 1, true));
    const scaled = tf.mul<tf.Tensor2D>(tf.mul(centred, variables[`${finalNorm}.weight`]!), logitScale / spread);
    return linear(scaled, variables[head] as tf.Tensor as tf.Tensor2D) as tf.Tensor2D;
  });
}

/** What one head's vector becomes in the stream, through its columns of the output map: [n, features] → [n, width]. */
function throughOutput(model: LanguageModel, branch: Branch, columns: number, head: number, rows: tf.Tensor2D) {
  const features = columns / branch.heads;
  const map = tf.slice(outputMap(model, branch), [0, head * features], [-1, features]);
  return linear(rows, map) as tf.Tensor2D;
}

/** [width, columns] */
function outputMap(model: LanguageModel, { path }: Branch): tf.Tensor2D {
  return model.variables()[`${path}.c_proj.weight`] as tf.Tensor as tf.Tensor2D;
}

/** What each head adds to the stream at a position, without biases: [all heads, width], branch after branch. */
export function headVectors(model: LanguageModel, passage: Passage, position: number): tf.Tensor2D {
  return tf.tidy(() =>
    tf.concat2d(
      passage.branches.flatMap(({ branch, projected, columns }) => {
        const features = columns / branch.heads;
        return Array.from({ length: branch.heads }, (_, head) => {
          const start = position * columns + head * features;
          const row = tf.tensor2d(projected.subarray(start, start + features), [1, features]);
          return throughOutput(model, branch, columns, head, row);
        });
      }),
      0,
    ),
  );
}

/** The tokens that each head speaks for most at a position: by branch, head and rank. */
export async function headProposals(
  model: LanguageModel,
  passage: Passage,
  position: number,
  { count, vocabulary }: { count: number; vocabulary?: number },
): Promise<Proposal[][][]> {
  const shares = tf.tidy(() => logitShares(model, headVectors(model, passage, position), spreadAt(passage, position)));
  const rest = await proposalsOf(shares, count, vocabulary);
  return passage.branches.map(({ branch }) => rest.splice(0, branch.heads));
}

/** What single stored things of one head would give if they alone were read at a position: by thing and rank. */
export async function storedProposals(
  model: LanguageModel,
  passage: Passage,
  reading: BranchReading,
  place: { position: number; head: number; stored: readonly StoredThing[] },
  { count, vocabulary }: { count: number; vocabulary?: number },
): Promise<Proposal[][]> {
  const { position, head, stored } = place;
  if (stored.length === 0) return [];
  const shares = tf.tidy(() => {
    const vectors = tf.concat2d(
      stored.map((thing) => storedVector(model, passage, reading, head, thing)),
      0,
    );
    return logitShares(model, vectors, spreadAt(passage, position));
  });
  return proposalsOf(shares, count, vocabulary);
}

/** A position of the text, a slot of a bank, or a hidden unit. */
export interface StoredThing {
  readonly index: number;
  readonly bank: number;
}

/** What the whole weight on one stored thing would add to the stream: [1, width]. */
function storedVector(
  model: LanguageModel,
  passage: Passage,
  { branch, values, columns }: BranchReading,
  head: number,
  { index, bank }: StoredThing,
): tf.Tensor2D {
  const features = columns / branch.heads;
  if (branch.kind === "mlp") {
    return tf.transpose(tf.slice(outputMap(model, branch), [0, index], [-1, 1]));
  }
  if (branch.kind === "persistent") {
    const variables = model.variables();
    const slots = variables[`${branch.path}.pmem.M_v${bank}`]!;
    const value: tf.Tensor2D = tf.reshape(tf.slice(slots, [0, head, index, 0], [1, 1, 1, features]), [1, features]);
    const scale = tf.exp(tf.mul(tf.slice(variables[`${branch.path}.value_beta`]!, [head], [1]), 10));
    const share = tf.div<tf.Tensor2D>(tf.mul(value, scale), branch.weights.length);
    return throughOutput(model, branch, columns, head, share);
  }
  const start = index * passage.width + head * features;
  const value = tf.tensor2d(values!.subarray(start, start + features), [1, features]);
  return throughOutput(model, branch, columns, head, value);
}

/** The tokens with the greatest shares in each row, which it frees. */
async function proposalsOf(shares: tf.Tensor2D, count: number, vocabulary?: number): Promise<Proposal[][]> {
  const [rows, size] = shares.shape;
  const values = (await shares.data()) as Float32Array;
  shares.dispose();
  return Array.from({ length: rows }, (_, row) => {
    const all = values.subarray(row * size, (row + 1) * size);
    const mean = all.reduce((sum, value) => sum + value, 0) / size;
    const known = all.subarray(0, vocabulary ?? size);
    return largest(known, count).map((token) => ({ token, share: known[token]! - mean }));
  });
}
