import { describe, expect, it } from "@jest/globals";
import { normals } from "./normals.js";

describe("normals", () => {
  it("turns the published words of a zero key into two Box–Muller pairs", () => {
    const words = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8].map((word) => (word + 0.5) / 2 ** 32);
    const pair = (u: number, v: number) =>
      [Math.cos, Math.sin].map((f) => Math.sqrt(-2 * Math.log(u)) * f(2 * Math.PI * v));
    const expected = [...pair(words[0]!, words[1]!), ...pair(words[2]!, words[3]!)];
    expect(normals([0, 0], 4, 1)).toEqual(Float32Array.from(expected));
    expect(normals([0, 0], 3, 2)).toEqual(Float32Array.from(expected.slice(0, 3), (value) => 2 * value));
  });

  it("has the moments of the normal distribution", () => {
    const count = 100_000;
    const moment = (order: number) => normals([1, 2], count, 1).reduce((sum, x) => sum + x ** order, 0) / count;
    // Five standard errors: the variance of x^k is E x^2k − (E x^k)².
    for (const [order, expected, variance] of [
      [1, 0, 1],
      [2, 1, 2],
      [3, 0, 15],
      [4, 3, 96],
    ] as const)
      expect(Math.abs(moment(order) - expected)).toBeLessThan(5 * Math.sqrt(variance / count));
  });

  it("has neighbours that do not correlate", () => {
    const values = normals([3, 4], 100_000, 1);
    for (const lag of [1, 2, 3, 4]) {
      let sum = 0;
      for (let i = lag; i < values.length; i++) sum += values[i]! * values[i - lag]!;
      expect(Math.abs(sum / values.length)).toBeLessThan(5 / Math.sqrt(values.length));
    }
  });
});
