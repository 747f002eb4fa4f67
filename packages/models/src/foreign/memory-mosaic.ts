/** A Memory Mosaic of the authors' code: names and layouts are ours. The peek's shift and the context leave no trace. */
import { countBlocks, sameNumbers } from "./gpt2.js";
import type { ImportedWeights, Tensors } from "./import-weights.js";

export function importMemoryMosaic(given: Tensors): ImportedWeights | undefined {
  const words = given["emb.weight"];
  const keys = given["blocks.0.attn.k_featurizer.conv.weight"];
  const rates = given["blocks.0.attn.leaky_key_beta"];
  if (words === undefined || keys === undefined || rates === undefined) return undefined;
  const [vocabulary, width] = words.shape as [number, number];
  const slots = given["blocks.0.pmem.pmem.M_k0"];
  const head = given["head.weight"];
  const tied = head === undefined || sameNumbers(head, words);
  const banks = Object.keys(given).filter((name) => name.startsWith("blocks.0.pmem.pmem.M_k")).length;
  return {
    config: {
      kind: "memory-mosaic",
      vocabulary,
      width,
      blocks: countBlocks(given, /^blocks\.(\d+)\./),
      heads: rates.shape[0],
      keyKernel: keys.shape[2],
      bias: given["ln_out.bias"] !== undefined,
      tieWeights: tied,
      contextualOnly: slots === undefined,
      ...(slots === undefined ? {} : { slots: slots.shape[2], persistentBanks: banks }),
    },
    tensors: { ...given },
  };
}
