import { beforeAll, describe, expect, it } from "@jest/globals";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { selectBackend } from "./backends/select.js";
import { dropout, dropoutMask, dropoutMaskRowPlain } from "./dropout.js";

describe("the dropout mask", () => {
  beforeAll(() => selectBackend("cpu"));

  // Random123's published words of seven rounds for a zero counter and key: 5f6fb709 0d893f64 4f121f81 4f730a48. Row 0,
  // columns 0 … 7 own their halves, low first.
  const halves = [0xb709, 0x5f6f, 0x3f64, 0x0d89, 0x1f81, 0x4f12, 0x0a48, 0x4f73];

  it.each(halves)("drops the element that owns 0x%s just above its bits, and keeps it at them", (half) => {
    const column = halves.indexOf(half);
    const at = (threshold: number) => dropoutMask(1, 8, { rate: threshold / 65536, key: [0, 0] }).dataSync()[column];
    expect(at(half)).toBeCloseTo(1 / (1 - half / 65536), 3);
    expect(at(half + 1)).toBe(0);
  });

  it("is the same from WebAssembly as by its definition, at any width and row", () => {
    const key = Rng.fromSeed(3).fork("dropout").key;
    for (const columns of [1, 8, 31, 32, 33, 200]) {
      const mask = dropoutMask(70, columns, { rate: 0.3, key }).dataSync();
      for (const row of [0, 1, 69]) {
        const expected = dropoutMaskRowPlain(row, columns, Math.round(0.3 * 65536), key);
        expect(Array.from(mask.slice(row * columns, (row + 1) * columns))).toEqual(Array.from(expected));
      }
    }
  });

  it("drops about the given share and keeps the mean", () => {
    const mask = dropoutMask(100, 1000, { rate: 0.05, key: [1, 2] });
    const kept = Array.from(mask.dataSync()).filter((value) => value > 0).length;
    // Binomial, 100,000 draws: six standard deviations are 414.
    expect(Math.abs(kept - 95_000)).toBeLessThan(414);
    expect(Math.abs(mask.mean().dataSync()[0]! - 1)).toBeLessThan(0.005);
  });

  it("refuses a rate outside [0, 1)", () => {
    expect(() => dropout(tf.ones([2, 2]), { rate: 1, key: [0, 0] })).toThrow("expected a rate in [0, 1), found 1");
  });

  it("returns x itself when nothing is dropped", () => {
    const x = tf.ones([2, 2]);
    expect(dropout(x)).toBe(x);
    expect(dropout(x, { rate: 0, key: [0, 0] })).toBe(x);
  });
});
