/** One id per byte, and an end of text: small, and every character beyond ASCII is spread over tokens. */
import type { Tokenizer } from "@mm/data";

const END_OF_TEXT = 256;

export const byteTokenizer: Tokenizer & { decodeBytes(ids: ArrayLike<number>): Uint8Array } = {
  info: { name: "bytes", vocabulary: 257, endOfText: END_OF_TEXT },
  encodeBytes(bytes, start, end, out, at) {
    out.set(bytes.subarray(start, end), at);
    return at + end - start;
  },
  encode: (text) => Uint16Array.from(new TextEncoder().encode(text)),
  decode: (ids) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(byteTokenizer.decodeBytes(ids)),
  decodeBytes: (ids) => Uint8Array.from(Array.from(ids).filter((id) => id < END_OF_TEXT)),
};
