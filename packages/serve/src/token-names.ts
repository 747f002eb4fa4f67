/** Tokens as text in answers; a token that is part of a character is written as its bytes, so that all names differ. */
import type { Tokenizer } from "@mm/data";

/** A tokenizer whose tokens are bytes, such as GPT-2's. */
type ByteTokenizer = Tokenizer & { decodeBytes(ids: ArrayLike<number>): Uint8Array };

export function tokenName(tokenizer: Tokenizer, token: number): string {
  const text = tokenizer.decode([token]);
  if (!text.includes("\uFFFD")) return text;
  const bytes = tokenBytes(tokenizer, token);
  const hexadecimal = bytes.map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`);
  return bytes.length > 0 ? `bytes:${hexadecimal.join("")}` : `token_id:${token}`;
}

/** The token's bytes, as far as the tokenizer knows them. */
export function tokenBytes(tokenizer: Tokenizer, token: number): number[] {
  if ("decodeBytes" in tokenizer) return [...(tokenizer as ByteTokenizer).decodeBytes([token])];
  const text = tokenizer.decode([token]);
  return text.includes("\uFFFD") ? [] : [...new TextEncoder().encode(text)];
}
