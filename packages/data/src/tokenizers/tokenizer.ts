/** What the builder needs from a tokenizer. */
import type { TokenizerInfo } from "../dataset/info.js";

export interface Tokenizer {
  readonly info: TokenizerInfo;

  /**
   * Writes the ids of bytes[start, end), valid UTF-8, to `out` from `at` on and returns the index after the last one;
   * never more ids than bytes.
   */
  encodeBytes(bytes: Uint8Array, start: number, end: number, out: Uint16Array, at: number): number;

  encode(text: string): Uint16Array;

  decode(ids: ArrayLike<number>): string;
}
