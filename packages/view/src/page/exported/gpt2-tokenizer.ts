/** GPT-2's tokenizer; "<|endoftext|>" in a text is text like any other. */
import { decode, encode } from "gpt-tokenizer/encoding/r50k_base";
import type { TextTokenizer } from "../../local-inspector.js";
import type { ExportedTokenizer } from "../../manifest.js";

export function gpt2Tokenizer(info: ExportedTokenizer): TextTokenizer {
  return {
    info,
    encode: (text) => encode(text, { disallowedSpecial: new Set() }),
    decode: (tokens) => decode(Array.from(tokens)),
  };
}
