import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { groupBy, mean, spread, standardDeviation } from "./statistics.js";

describe("standardDeviation", () => {
  it("divides by n − 1", () => {
    expect(standardDeviation([1, 2, 3, 4])).toBeCloseTo(Math.sqrt(5 / 3), 12);
  });
  it("does not know the spread of a single value", () => {
    expect(standardDeviation([5])).toBeNull();
  });
});

describe("groupBy", () => {
  it("keeps the order of first appearance, and tells a number from its text", () => {
    expect(groupBy([1, "1", 2, 1], (value) => [value])).toEqual([[1, 1], ["1"], [2]]);
  });
});

describe("spread", () => {
  it("moves two equal labels to both sides of where they want to be", () => {
    expect(spread([5, 5], 2, [0, 10])).toEqual([4, 6]);
  });
  it("keeps labels inside the limits", () => {
    expect(spread([9.9, 10, 10], 2, [0, 10])).toEqual([6, 8, 10]);
  });
  it("leaves labels alone that are far enough apart", () => {
    expect(spread([8, 1, 4], 2, [0, 10])).toEqual([8, 1, 4]);
  });
  it("never lets labels come closer than the gap, nor leave the limits while they fit, nor change their order", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 12 }), (wanted) => {
        const places = spread(wanted, 5, [0, 100]);
        const sorted = [...places].sort((a, b) => a - b);
        for (let at = 1; at < sorted.length; at++) expect(sorted[at]! - sorted[at - 1]!).toBeGreaterThan(5 - 1e-9);
        expect(sorted[0]).toBeGreaterThan(-1e-9);
        expect(sorted.at(-1)).toBeLessThan(100 + 1e-9);
        for (const [a, first] of wanted.entries()) {
          for (const [b, second] of wanted.entries()) if (first < second) expect(places[a]!).toBeLessThan(places[b]!);
        }
        expect(mean(places)).not.toBeNaN();
      }),
    );
  });
});
