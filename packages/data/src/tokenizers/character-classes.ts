/** The four classes of characters that GPT-2's word pattern tells apart, by code point, with Unicode 16.0. */
import { LETTERS, NUMBERS } from "./unicode-ranges.js";

export const OTHER = 0;
export const LETTER = 1;
export const NUMBER = 2;
export const SPACE = 3;

/** Unicode White_Space, which differs from JavaScript's \s: U+0085 belongs to it, U+FEFF does not. */
const WHITE_SPACE = [
  0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
  0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
];

const CODE_POINTS = 0x11_0000;

/** The class of each code point. */
export const CLASSES: Uint8Array = buildClasses();

function buildClasses(): Uint8Array {
  const classes = new Uint8Array(CODE_POINTS).fill(OTHER);
  classes.fill(LETTER, 0x41, 0x5b).fill(LETTER, 0x61, 0x7b).fill(NUMBER, 0x30, 0x3a);
  fillRanges(classes, LETTERS, LETTER);
  fillRanges(classes, NUMBERS, NUMBER);
  for (const point of WHITE_SPACE) classes[point] = SPACE;
  return classes;
}

function fillRanges(classes: Uint8Array, ranges: string, value: number): void {
  const numbers = ranges.split(" ").map((word) => Number.parseInt(word, 36));
  let at = 0;
  for (let index = 0; index < numbers.length; index += 2) {
    const first = at + numbers[index]!;
    at = first + numbers[index + 1]!;
    classes.fill(value, first, at + 1);
  }
}
