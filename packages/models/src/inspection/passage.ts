/**
 * One text seen by a model: what each head read at each position, as plain numbers. The numbers are those of the forward
 * pass itself; read weights, which fused kernels never form, come from their definitions (`read-weights.ts`).
 */
import * as tf from "@tensorflow/tfjs";
import { logProbability, mostProbable, type ScoredToken } from "../decoding/log-probabilities.js";
import type { LanguageModel } from "../model.js";
import { anatomyOf, type Branch } from "./anatomy.js";

/** What the parameters of one head of a memory mean. */
export interface HeadCharacter {
  /** λ of the leaky average of keys: a token's part in the key shrinks by e^{−λ} with each further token. */
  readonly forgettingRate: number;
  /** Tokens after which a token's part in the key has halved: ln 2 / λ. */
  readonly halfLife: number;
  /** β of the kernel exp(β k·k') for keys of unit length; larger is sharper. */
  readonly bandwidth: number;
  /** c of a stored value: the present's part in it, the peek's being 1 − c. Contextual memories with a peek only. */
  readonly mixing?: number;
}

export interface BranchReading {
  readonly branch: Branch;
  /** For each bank [heads, time, size], row after row; a row with nothing to read is 0. Of an MLP, its activations. */
  readonly weights: readonly Float32Array[];
  /** Things that can be read: positions of the text, slots of a bank, or hidden units. */
  readonly size: number;
  /** What positions store, [time, width]; contextual memories and attention only. */
  readonly values?: Float32Array;
  /** What the output map is applied to, heads side by side: [time, columns]. */
  readonly projected: Float32Array;
  readonly columns: number;
  /** Of each head; empty where heads have no such parameters. */
  readonly characters: readonly HeadCharacter[];
}

export interface Passage {
  readonly tokens: readonly number[];
  readonly branches: readonly BranchReading[];
  /** What the blocks start from and end with: [time, width]. */
  readonly embedding: Float32Array;
  readonly stream: Float32Array;
  readonly width: number;
  /** Most probable next tokens after each position; none where the model gives no scores (`skipTokens`). */
  readonly predictions: readonly (readonly ScoredToken[])[];
  /** Log-probability of each token after those before it, where there is one. */
  readonly logProbabilities: readonly (number | undefined)[];
}

/** Next tokens that are kept for each position. */
const PREDICTIONS = 8;

type InnerValues = Readonly<Record<string, tf.Tensor>>;

/**
 * Runs a model on one text, without dropout.
 *
 * @param tokens at least one, at most contextLength
 * @param vocabulary number of ids that have a text; the others are no predictions
 * @throws UserError for a model whose inner parts are not known here
 */
export async function readPassage(
  model: LanguageModel,
  tokens: readonly number[],
  vocabulary: number = model.config.vocabulary,
): Promise<Passage> {
  const branches = anatomyOf(model).branches;
  const wanted = new Set(["embedding", "stream", ...branches.flatMap(innerValues)]);
  const { logits, inner } = innerPass(model, tokens, (name) => wanted.has(name));
  try {
    const scores = (await logits.data()) as Float32Array;
    const skipped = tokens.length - logits.shape[1];
    const scoresAfter = (position: number) => {
      const size = model.config.vocabulary;
      return position < skipped ? undefined : scores.subarray((position - skipped) * size).subarray(0, size);
    };
    const readings: BranchReading[] = [];
    for (const branch of branches) readings.push(await readBranch(branch, inner));
    return {
      tokens: [...tokens],
      branches: readings,
      embedding: await numbers(inner["embedding"]!),
      stream: await numbers(inner["stream"]!),
      width: inner["stream"]!.shape[2]!,
      predictions: tokens.map((_, position) => {
        const after = scoresAfter(position);
        return after === undefined ? [] : mostProbable(after, PREDICTIONS, vocabulary);
      }),
      logProbabilities: tokens.map((token, position) => {
        const before = position === 0 ? undefined : scoresAfter(position - 1);
        return before === undefined ? undefined : logProbability(before, token);
      }),
    };
  } finally {
    tf.dispose([logits, inner]);
  }
}

/** One forward pass over [1, time] tokens; the caller frees everything. */
export function innerPass(model: LanguageModel, tokens: readonly number[], wants: (name: string) => boolean) {
  const inner: Record<string, tf.Tensor> = {};
  const take = (name: string, value: tf.Tensor) => {
    inner[name] = tf.keep(tf.clone(value));
  };
  const ids = tf.tensor2d(Int32Array.from(tokens), [1, tokens.length], "int32");
  const logits = model.logits(ids, { training: false, probe: { wants, take } });
  ids.dispose();
  return { logits, inner: inner as InnerValues };
}

const CHARACTER = { rate: "keys.rate", scale: "keys.scale", mixing: "values.mix" };

function innerValues({ path, projected, weights }: Branch): string[] {
  return [projected, ...weights, `${path}.values`, ...Object.values(CHARACTER).map((name) => `${path}.${name}`)];
}

async function readBranch(branch: Branch, inner: InnerValues): Promise<BranchReading> {
  const projected = inner[branch.projected]!;
  const weights = await Promise.all(branch.weights.map((name) => numbers(inner[name]!)));
  const activations = await numbers(projected);
  const ofText = branch.kind === "contextual" || branch.kind === "attention";
  return {
    branch,
    weights: branch.kind === "mlp" ? [activations] : weights,
    size: (branch.kind === "mlp" ? projected : inner[branch.weights[0]!]!).shape.at(-1)!,
    ...(ofText ? { values: await numbers(inner[`${branch.path}.values`]!) } : {}),
    projected: activations,
    columns: projected.shape[2]!,
    characters: await readCharacters(branch, inner),
  };
}

async function readCharacters({ kind, path, heads }: Branch, inner: InnerValues): Promise<HeadCharacter[]> {
  if (kind !== "contextual" && kind !== "persistent") return [];
  const rates = await numbers(inner[`${path}.${CHARACTER.rate}`]!);
  const scales = await numbers(inner[`${path}.${CHARACTER.scale}`]!);
  const mixing = inner[`${path}.${CHARACTER.mixing}`];
  const mixes = mixing === undefined ? undefined : await numbers(mixing);
  return Array.from({ length: heads }, (_, head) => ({
    forgettingRate: rates[head]!,
    halfLife: Math.LN2 / rates[head]!,
    // Contextual keys meet keys of the same scale g, persistent ones carry g² and meet slots without a scale.
    bandwidth: kind === "contextual" ? scales[head]! ** 2 : scales[head]!,
    ...(mixes === undefined ? {} : { mixing: mixes[head]! }),
  }));
}

async function numbers(tensor: tf.Tensor): Promise<Float32Array> {
  return (await tensor.data()) as Float32Array;
}

/** The weights of one head at one position, of one bank: `size` numbers. */
export function weightsAt(
  { weights, size }: BranchReading,
  time: number,
  { position, head, bank = 0 }: { position: number; head: number; bank?: number },
): Float32Array {
  const start = (head * time + position) * size;
  return weights[bank]!.subarray(start, start + size);
}
