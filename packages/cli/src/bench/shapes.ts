/** The training steps that speed is measured on. */
import type { MemoryMosaicConfig } from "@mm/models";

export interface Shape {
  readonly about: string;
  readonly model: Record<string, unknown>;
  /** Sequences per step. */
  readonly batch: number;
  readonly length: number;
}

const dropout = { contextualDropout: 0.05, persistentDropout: 0.05, residualDropout: 0.05 };

export const shapes = {
  A: {
    about: "one block of the paper's model: width 768, 12 heads, 2688 slots, GPT-2's vocabulary, 4 x 512 tokens",
    model: { kind: "memory-mosaic", blocks: 1, heads: 12, width: 768, slots: 2688, contextLength: 512, ...dropout },
    batch: 4,
    length: 512,
  },
  B: {
    about: "the RegBench model: 2 blocks, width 128, 8 heads, 448 slots, 20 symbols, 32 x 384 tokens",
    model: {
      kind: "memory-mosaic",
      vocabulary: 20,
      blocks: 2,
      heads: 8,
      width: 128,
      slots: 448,
      contextLength: 384,
      ...dropout,
    },
    batch: 32,
    length: 384,
  },
} as const satisfies Record<string, Shape>;

/** The model that decoding is measured on: the paper's, as large as GPT-2. */
export const decodedModel = {
  kind: "memory-mosaic",
  blocks: 12,
  heads: 12,
  width: 768,
  slots: 2688,
  contextLength: 1024,
};

/**
 * Floating-point operations of the matrix products in one training step of a Memory Mosaic: those of the linear maps
 * and the head count three times (forward, and a product for each of the two gradients), those of the two reads three
 * and a half times (two products forward; five backward, which computes the scores again).
 */
export function mosaicStepFlops(config: MemoryMosaicConfig, batch: number, length: number): number {
  const { width, blocks, slots, persistentBanks, vocabulary } = config;
  const tokens = batch * length;
  const maps = 2 * tokens * 5 * width * width * blocks;
  const head = 2 * tokens * vocabulary * width;
  const persistent = 2 * 2 * tokens * slots * persistentBanks * width * blocks;
  const contextual = 2 * 2 * tokens * (length / 2) * width * blocks;
  return 3 * (maps + head) + 3.5 * (persistent + contextual);
}
