/**
 * What learned memories fire on: for each slot (or hidden unit) of a branch, the places of a sample of texts where its
 * weight was largest.
 */
import * as tf from "@tensorflow/tfjs";
import type { LanguageModel } from "../model.js";
import { anatomyOf, type Branch } from "./anatomy.js";
import { innerPass } from "./passage.js";

export interface SlotUse {
  /** Which text of the sample, and where in it. */
  readonly text: number;
  readonly position: number;
  readonly weight: number;
}

/** The strongest uses of every slot of one branch, largest weight first. */
export interface SlotUses {
  of(slot: { head: number; bank: number; index: number }): SlotUse[];
}

/**
 * Runs the model over a sample.
 *
 * @param branch which of the model's branches (`anatomyOf`): a persistent memory or an MLP
 * @param texts token ids of each text, each at least one and at most contextLength
 * @param kept uses kept for each slot
 */
export async function findSlotUses(
  model: LanguageModel,
  branch: number,
  texts: readonly (readonly number[])[],
  kept = 6,
): Promise<SlotUses> {
  const inside = anatomyOf(model).branches[branch]!;
  const tables = new Map<number, StrongestUses>();
  for (const [text, tokens] of texts.entries()) {
    for (const [bank, weights] of (await slotWeights(model, inside, tokens)).entries()) {
      const size = weights.length / (inside.heads * tokens.length);
      const table = tables.get(bank) ?? new StrongestUses(inside.heads * size, kept);
      tables.set(bank, table);
      for (let head = 0, at = 0; head < inside.heads; head++)
        for (let position = 0; position < tokens.length; position++)
          for (let slot = 0; slot < size; slot++, at++) table.add(head * size + slot, weights[at]!, text, position);
    }
  }
  return {
    of: ({ head, bank, index }) => {
      const table = tables.get(bank);
      return table === undefined ? [] : table.of((head * table.slots) / inside.heads + index);
    },
  };
}

/** Weights of every slot at every position of one text: for each bank [heads, time, slots]. */
async function slotWeights(model: LanguageModel, { kind, projected, weights }: Branch, tokens: readonly number[]) {
  const names = kind === "mlp" ? [projected] : weights;
  const { logits, inner } = innerPass(model, tokens, (name) => names.includes(name));
  try {
    return (await Promise.all(names.map((name) => inner[name]!.data()))) as Float32Array[];
  } finally {
    tf.dispose([logits, inner]);
  }
}

/** A table of the strongest uses, each slot's in descending order; flat, since there may be a hundred thousand slots. */
class StrongestUses {
  readonly #weights: Float32Array;
  readonly #places: Int32Array;

  constructor(
    readonly slots: number,
    private readonly kept: number,
  ) {
    this.#weights = new Float32Array(slots * kept).fill(Number.NEGATIVE_INFINITY);
    this.#places = new Int32Array(2 * slots * kept);
  }

  add(slot: number, weight: number, text: number, position: number): void {
    const first = slot * this.kept;
    let at = first + this.kept - 1;
    if (!(weight > this.#weights[at]!)) return;
    for (; at > first && weight > this.#weights[at - 1]!; at--) {
      this.#weights[at] = this.#weights[at - 1]!;
      this.#places.copyWithin(2 * at, 2 * at - 2, 2 * at);
    }
    this.#weights[at] = weight;
    this.#places[2 * at] = text;
    this.#places[2 * at + 1] = position;
  }

  of(slot: number): SlotUse[] {
    return Array.from({ length: this.kept }, (_, rank) => slot * this.kept + rank)
      .filter((at) => this.#weights[at]! > Number.NEGATIVE_INFINITY)
      .map((at) => ({ text: this.#places[2 * at]!, position: this.#places[2 * at + 1]!, weight: this.#weights[at]! }));
  }
}
