/** One id per character of a fixed alphabet, as for RegBench's languages; blanks between symbols are left out. */
import { UserError } from "@mm/run";
import type { TokenizerInfo } from "../dataset/info.js";
import type { Tokenizer } from "./tokenizer.js";

const BLANK = 0x20;
const UNKNOWN = 0xffff;

export class SymbolTokenizer implements Tokenizer {
  readonly info: TokenizerInfo;
  readonly #alphabet: string;
  readonly #ids = new Uint16Array(128).fill(UNKNOWN);

  /**
   * @param alphabet ASCII characters; the id of a symbol is its place
   * @param vocabulary number of ids when some, such as padding, have no symbol
   */
  constructor(alphabet: string, vocabulary = alphabet.length) {
    this.info = { name: "symbols", vocabulary, endOfText: null, alphabet };
    this.#alphabet = alphabet;
    for (let id = 0; id < alphabet.length; id++) this.#ids[alphabet.charCodeAt(id)] = id;
  }

  encodeBytes(bytes: Uint8Array, start: number, end: number, out: Uint16Array, at: number): number {
    for (let index = start; index < end; index++) {
      const byte = bytes[index]!;
      if (byte === BLANK) continue;
      const id = this.#ids[byte] ?? UNKNOWN;
      if (id === UNKNOWN) {
        const found = JSON.stringify(String.fromCharCode(byte));
        throw new UserError(`Expected only the symbols "${this.#alphabet}" but found ${found}.`);
      }
      out[at++] = id;
    }
    return at;
  }

  encode(text: string): Uint16Array {
    const bytes = new TextEncoder().encode(text);
    const out = new Uint16Array(bytes.length);
    return out.slice(0, this.encodeBytes(bytes, 0, bytes.length, out, 0));
  }

  decode(ids: ArrayLike<number>): string {
    return Array.from(ids, (id) => this.#alphabet[id] ?? "�").join(" ");
  }
}
