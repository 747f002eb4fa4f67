/** The authors' configuration fields, and ours. */
import { z } from "zod";
import { Gpt2Config } from "../gpt2/config.js";
import { MemoryMosaicConfig } from "../memory-mosaic/config.js";
import type { Fixture } from "./fixture.js";

const Shared = z.looseObject({
  vocab_size: z.number(),
  block_size: z.number(),
  n_layer: z.number(),
  n_head: z.number(),
  n_embd: z.number(),
  bias: z.boolean(),
});

const Mosaic = Shared.extend({
  pmem_size: z.number(),
  pmem_count: z.number().default(1),
  v_shift: z.number().default(1),
  k_kernel_size: z.number().default(1),
  pre_ln: z.boolean().default(true),
  weight_tying: z.boolean().default(true),
  skip_tokens: z.number().default(0),
  attn_only: z.boolean().default(false),
});

/** A Memory Mosaic's configuration without dropout, from the entry of an index. */
export function mosaicConfig({ entry }: Fixture): MemoryMosaicConfig {
  const theirs = Mosaic.parse(entry["config"]);
  return MemoryMosaicConfig.parse({
    kind: "memory-mosaic",
    ...shared(theirs),
    slots: theirs.pmem_size,
    persistentBanks: theirs.pmem_count,
    peekShift: theirs.v_shift,
    keyKernel: theirs.k_kernel_size,
    preNorm: theirs.pre_ln,
    tieWeights: theirs.weight_tying,
    skipTokens: theirs.skip_tokens,
    contextualOnly: theirs.attn_only,
    contextualDropout: 0,
    persistentDropout: 0,
    residualDropout: 0,
  });
}

/** A GPT-2 configuration without dropout, from the entry of an index. */
export function gpt2Config({ entry }: Fixture): Gpt2Config {
  return Gpt2Config.parse({ kind: "gpt2", ...shared(Shared.parse(entry["config"])), dropout: 0 });
}

function shared(theirs: z.output<typeof Shared>) {
  return {
    vocabulary: theirs.vocab_size,
    contextLength: theirs.block_size,
    blocks: theirs.n_layer,
    heads: theirs.n_head,
    width: theirs.n_embd,
    bias: theirs.bias,
  };
}
