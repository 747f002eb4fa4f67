/** The tokenizers, by the name that `dataset.json` gives. */
import { UserError } from "@mm/run";
import type { TokenizerInfo } from "../dataset/info.js";
import { gpt2Tokenizer } from "./gpt2.js";
import { SymbolTokenizer } from "./symbols.js";
import type { Tokenizer } from "./tokenizer.js";

export const tokenizers = {
  gpt2: () => gpt2Tokenizer(),
  symbols: (info) => new SymbolTokenizer(info.alphabet ?? "", info.vocabulary),
} satisfies Record<string, (info: TokenizerInfo) => Tokenizer>;

/** @throws UserError for a name that is not listed */
export function tokenizerFor(info: TokenizerInfo): Tokenizer {
  if (!Object.hasOwn(tokenizers, info.name)) {
    throw new UserError(`Expected a tokenizer among ${Object.keys(tokenizers).join(", ")} but found "${info.name}".`);
  }
  return tokenizers[info.name as keyof typeof tokenizers](info);
}
