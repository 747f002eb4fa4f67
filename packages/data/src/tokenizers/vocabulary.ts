/**
 * The 50,257 tokens of GPT-2 as bytes. The id of a token is also its rank: merges that give smaller ids come first.
 * The list is the one shipped with gpt-tokenizer.
 */
import ranks from "gpt-tokenizer/bpeRanks/r50k_base";

export const GPT2_VOCABULARY = 50_257;
export const END_OF_TEXT = 50_256;

export interface Vocabulary {
  /** The bytes of all tokens, one after the other. */
  readonly bytes: Uint8Array;
  /** Token i is bytes[starts[i]] … bytes[starts[i + 1] − 1]. */
  readonly starts: Uint32Array;
}

/** The mergeable tokens 0 … 50,255; the end-of-text token is no text. */
export function gpt2Vocabulary(): Vocabulary {
  const encoder = new TextEncoder();
  const bytes = new Uint8Array(1 << 19);
  const starts = new Uint32Array(ranks.length + 1);
  let used = 0;
  ranks.forEach((token, id) => {
    starts[id] = used;
    if (typeof token === "string") {
      used += encoder.encodeInto(token, bytes.subarray(used)).written;
    } else {
      bytes.set(token, used);
      used += token.length;
    }
  });
  starts[ranks.length] = used;
  return { bytes: bytes.slice(0, used), starts };
}
