/** One id for each character of an alphabet; blanks between symbols are left out. */
import { UserError } from "@mm/run";
import type { TextTokenizer } from "../../local-inspector.js";
import type { ExportedTokenizer } from "../../manifest.js";

export function symbolTokenizer(info: ExportedTokenizer, alphabet: string): TextTokenizer {
  return {
    info,
    encode: (text) =>
      Array.from(text.replaceAll(" ", ""), (symbol) => {
        const id = alphabet.indexOf(symbol);
        if (id < 0) throw new UserError(`Expected only the symbols "${alphabet}" but found ${JSON.stringify(symbol)}.`);
        return id;
      }),
    decode: (tokens) => Array.from(tokens, (id) => alphabet[id] ?? "\uFFFD").join(" "),
  };
}
