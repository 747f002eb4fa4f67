/**
 * The 20 symbols of RegBench, sorted by code point: '.' = 0 pads, 'a' … 'r' = 1 … 18 are the letters of the languages,
 * '|' = 19 separates the strings of a problem.
 */
export const SYMBOLS = 20;
export const LETTERS = 18;
export const PAD = 0;
export const SEPARATOR = 19;
/** The label of a position that is neither trained nor scored: its true next token is the separator, or padding. */
export const IGNORED = -1;

export const symbols: readonly string[] = [".", ..."abcdefghijklmnopqr", "|"];

const idOf = new Map(symbols.map((symbol, id) => [symbol, id]));

/** "ab|a" → [1, 2, 19, 1]. @throws RangeError on a character outside the vocabulary */
export function encode(text: string): Int32Array {
  return Int32Array.from(text, (character, at) => {
    const id = idOf.get(character);
    if (id === undefined) throw new RangeError(`"${character}" at ${at} is none of RegBench's symbols . a…r |`);
    return id;
  });
}

/** [1, 2, 19, 1] → "ab|a". @throws RangeError on an id outside 0 … 19 */
export function decode(tokens: ArrayLike<number>): string {
  return Array.from(tokens, (id) => {
    const symbol = symbols[id];
    if (symbol === undefined) throw new RangeError(`${id} is no symbol of RegBench (0 … ${SYMBOLS - 1})`);
    return symbol;
  }).join("");
}
