/**
 * Philox4x32, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
 *
 * A block of four random words is a pure function of a 128-bit counter and a 64-bit key, so any word can be drawn
 * anywhere (TypeScript, C++, a GPU) in any order. Ten rounds by default, each
 *
 *   (c0, c1, c2, c3) ← (hi(M1·c2) ⊕ c1 ⊕ k0,  lo(M1·c2),  hi(M0·c0) ⊕ c3 ⊕ k1,  lo(M0·c0)),   k ← k + (W0, W1).
 */
const { floor, imul } = Math;

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** 64-bit key of a random stream, as two unsigned 32-bit words. */
export type PhiloxKey = readonly [number, number];

/** High 32 bits of the 64-bit product of two unsigned 32-bit integers, from 16-bit halves. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + floor(middle / 0x10000) + floor(carry / 0x10000)) >>> 0;
}

/**
 * Writes the four words for one counter into `out`.
 *
 * @param counter four words, least significant first
 * @param rounds ten leave a margin; seven are the fewest that pass all of TestU01's BigCrush (ibid.)
 */
export function philox4x32(
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  key: PhiloxKey,
  out: Uint32Array,
  rounds = 10,
): Uint32Array {
  let k0 = key[0] | 0;
  let k1 = key[1] | 0;
  for (let round = 0; round < rounds; round++) {
    const high0 = multiplyHigh(M0, c0 >>> 0);
    const low0 = imul(M0, c0);
    const high1 = multiplyHigh(M1, c2 >>> 0);
    const low1 = imul(M1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + W0) | 0;
    k1 = (k1 + W1) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
  return out;
}
