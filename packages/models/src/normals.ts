/**
 * Millions of normal numbers for initial weights: one Philox block gives four of them, where drawing them one by one
 * takes a block each. Element 4i+2p and 4i+2p+1 are the Box–Muller pair of words 2p and 2p+1 of block i,
 *
 *   r = √(−2 ln u), (r cos 2πv, r sin 2πv),   u, v = (word + ½) / 2³²
 *
 * so any element can be drawn by itself; the largest possible is 6.8.
 */
import { type PhiloxKey, philox4x32 } from "@mm/run";

const TWO_32 = 0x1_0000_0000;

/** @returns `count` draws of the normal distribution with mean 0 and the given deviation */
export function normals(key: PhiloxKey, count: number, deviation: number): Float32Array {
  const values = new Float32Array(count);
  const words = new Uint32Array(4);
  for (let block = 0; 4 * block < count; block++) {
    philox4x32(block, 0, 0, 0, key, words);
    for (let pair = 0; pair < 4; pair += 2) {
      const radius = deviation * Math.sqrt(-2 * Math.log((words[pair]! + 0.5) / TWO_32));
      const angle = (2 * Math.PI * (words[pair + 1]! + 0.5)) / TWO_32;
      const at = 4 * block + pair;
      // Writes beyond the end of a typed array go nowhere.
      values[at] = radius * Math.cos(angle);
      values[at + 1] = radius * Math.sin(angle);
    }
  }
  return values;
}
