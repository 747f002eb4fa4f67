/**
 * Where the memories of a model are: the branches that add to its residual stream, each made of heads side by side, and
 * what turns the stream into scores.
 */
import { UserError } from "@mm/run";
import type { MemoryMosaicConfig } from "../memory-mosaic/config.js";
import type { LanguageModel } from "../model.js";
import type { ModelConfig } from "../zoo.js";

/**
 * What a branch reads. "contextual" and "attention" read earlier positions of the text, "persistent" and "mlp" what was
 * learned: slots with read weights, or hidden units with activations (seen as one head).
 */
export type BranchKind = "contextual" | "attention" | "persistent" | "mlp";

export interface Branch {
  readonly block: number;
  readonly kind: BranchKind;
  readonly heads: number;
  /** Name of the module, such as `blocks.0.attn`. */
  readonly path: string;
  /** Inner value that the output map `c_proj` is applied to: [batch, time, columns of c_proj]. */
  readonly projected: string;
  /** Inner values that hold the read weights, one for each bank: [batch, heads, time, read]. */
  readonly weights: readonly string[];
}

export interface Anatomy {
  readonly branches: readonly Branch[];
  /** Name of the final layer norm. */
  readonly finalNorm: string;
  /** Name of the matrix [vocabulary, width] that gives scores, and their factor. */
  readonly head: string;
  readonly logitScale: number;
}

/** Whether `anatomyOf` knows models of this kind. */
export function isInspectable(kind: string): boolean {
  return kind === "memory-mosaic" || kind === "gpt2";
}

/** @throws UserError for another model than a Memory Mosaic or a GPT-2 */
export function anatomyOf(model: LanguageModel): Anatomy {
  const config = model.config as ModelConfig;
  if (config.kind === "memory-mosaic") return mosaicAnatomy(config);
  if (config.kind === "gpt2") {
    const blocks = Array.from({ length: config.blocks }, (_, block) => `transformer.h.${block}`);
    return {
      branches: blocks.flatMap((path, block) => [
        attention(block, `${path}.attn`, config.heads, "attention"),
        mlp(block, `${path}.mlp`),
      ]),
      finalNorm: "transformer.ln_f",
      head: "transformer.wte.weight",
      logitScale: 1,
    };
  }
  throw new UserError(`Expected a Memory Mosaic or a GPT-2 to look into, found ${config.kind}.`, {
    hint: "Choose a run of one of these two.",
  });
}

function mosaicAnatomy(config: MemoryMosaicConfig): Anatomy {
  const { heads, persistentBanks } = config;
  const blocks = Array.from({ length: config.blocks }, (_, block) => `blocks.${block}`);
  const persistent = (block: number, path: string): Branch => ({
    ...{ block, kind: "persistent", heads, path, projected: `${path}.values` },
    weights: Array.from({ length: persistentBanks }, (_, bank) => `${path}.weights.${bank}`),
  });
  return {
    branches: blocks.flatMap((path, block) => {
      const kind = config.contextualRead === "memory" ? "contextual" : "attention";
      const first = attention(block, `${path}.attn`, heads, kind);
      if (config.contextualOnly) return [first];
      return [
        first,
        config.persistentRead === "memory" ? persistent(block, `${path}.pmem`) : mlp(block, `${path}.mlp`),
      ];
    }),
    finalNorm: "ln_out",
    head: config.tieWeights ? "emb.weight" : "head.weight",
    logitScale: 1 / Math.sqrt(config.width),
  };
}

function attention(block: number, path: string, heads: number, kind: "contextual" | "attention"): Branch {
  return { block, kind, heads, path, projected: `${path}.read`, weights: [`${path}.weights`] };
}

function mlp(block: number, path: string): Branch {
  return { block, kind: "mlp", heads: 1, path, projected: `${path}.hidden`, weights: [] };
}
