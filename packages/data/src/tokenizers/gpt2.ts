/** GPT-2's tokenizer: text to ids and back. */
import { BytePairEncoder } from "./byte-pair.js";
import type { Tokenizer } from "./tokenizer.js";
import { END_OF_TEXT, GPT2_VOCABULARY, gpt2Vocabulary, type Vocabulary } from "./vocabulary.js";

export class Gpt2Tokenizer implements Tokenizer {
  readonly info = { name: "gpt2", vocabulary: GPT2_VOCABULARY, endOfText: END_OF_TEXT };
  readonly #tokens: Vocabulary = gpt2Vocabulary();
  #builtEncoder: BytePairEncoder | undefined;

  /** The ids of a text; "<|endoftext|>" in it is text like any other, as in tiktoken's encode_ordinary. */
  encode(text: string): Uint16Array {
    const bytes = new TextEncoder().encode(text);
    const out = new Uint16Array(bytes.length);
    return out.slice(0, this.#encoder().encode(bytes, 0, bytes.length, out, 0));
  }

  /** The same for bytes[start, end) of valid UTF-8, written to `out` from `at` on; returns the index after the last. */
  encodeBytes(bytes: Uint8Array, start: number, end: number, out: Uint16Array, at: number): number {
    return this.#encoder().encode(bytes, start, end, out, at);
  }

  /** The text of ids; the end-of-text token is written as "<|endoftext|>", incomplete characters as U+FFFD. */
  decode(ids: ArrayLike<number>): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.decodeBytes(ids));
  }

  /** @throws RangeError for an id outside of the vocabulary */
  decodeBytes(ids: ArrayLike<number>): Uint8Array {
    const { bytes, starts } = this.#tokens;
    const special = new TextEncoder().encode("<|endoftext|>");
    const part = (id: number) => {
      if (!(id >= 0 && id <= END_OF_TEXT)) throw new RangeError(`no token ${id} among ${GPT2_VOCABULARY}`);
      return id === END_OF_TEXT ? special : bytes.subarray(starts[id]!, starts[id + 1]!);
    };
    return Buffer.concat(Array.from(ids, part));
  }

  /** The tables are built on first use: a thread that leaves encoding to others does not need them. */
  #encoder(): BytePairEncoder {
    this.#builtEncoder ??= new BytePairEncoder(this.#tokens);
    return this.#builtEncoder;
  }
}

let shared: Gpt2Tokenizer | undefined;

/** The one tokenizer of this thread. */
export function gpt2Tokenizer(): Gpt2Tokenizer {
  shared ??= new Gpt2Tokenizer();
  return shared;
}
