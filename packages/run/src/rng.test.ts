/**
 * Seeds are fixed, so these tests give the same verdict every time. Error rates say how often a correct generator
 * would fail for a seed drawn at random: each statistic may lie 5 standard deviations from its mean (rate 6e-7).
 */
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Rng } from "./rng.js";

const draws = (rng: Rng, count = 8) => Array.from({ length: count }, () => rng.uint32());

/** How many standard deviations a count lies from that of a fair coin of the given probability. */
function deviation(count: number, trials: number, probability: number): number {
  return Math.abs(count - trials * probability) / Math.sqrt(trials * probability * (1 - probability));
}

describe("Rng", () => {
  it("gives the same numbers for the same seed, other numbers for another", () => {
    expect(draws(Rng.fromSeed(1))).toEqual(draws(Rng.fromSeed(1)));
    expect(draws(Rng.fromSeed(1))).not.toEqual(draws(Rng.fromSeed(2)));
    expect(draws(Rng.fromSeed(1))).not.toEqual(draws(Rng.fromSeed(2 ** 32 + 1)));
  });
  it.each([-1, 0.5, Number.NaN, 2 ** 53])("refuses %p as a seed", (seed) => {
    expect(() => Rng.fromSeed(seed)).toThrow(RangeError);
  });

  it("forks differently for different labels, and tells 1 from '1'", () => {
    const label = fc.oneof(fc.string(), fc.nat());
    fc.assert(
      fc.property(label, label, (a, b) => {
        const same = a === b || `${typeof a === "number" ? "#" : ""}${a}` === `${typeof b === "number" ? "#" : ""}${b}`;
        return same || draws(Rng.fromSeed(3).fork(a)).join() !== draws(Rng.fromSeed(3).fork(b)).join();
      }),
    );
    expect(Rng.fromSeed(3).fork(1).key).not.toEqual(Rng.fromSeed(3).fork("1").key);
  });
  it("tells labels apart that differ only in trailing zero bytes, or in how they are divided", () => {
    const root = Rng.fromSeed(3);
    const keys = ["a", "a\0", "a\0\0", "", "\0"].map((label) => root.fork(label).key.join());
    keys.push(root.fork("a").fork("b").key.join(), root.fork("ab").key.join(), root.fork("b").fork("a").key.join());
    expect(new Set(keys).size).toBe(keys.length);
  });
  it("is not advanced by forking, nor its forks by drawing", () => {
    const plain = Rng.fromSeed(4);
    const forked = Rng.fromSeed(4);
    forked.fork("x");
    expect(draws(forked)).toEqual(draws(plain));
    expect(draws(forked.fork("x"))).toEqual(draws(Rng.fromSeed(4).fork("x")));
  });

  it("draws uniform words: each bit is set half of the time", () => {
    const trials = 20_000;
    const set = new Array<number>(32).fill(0);
    const rng = Rng.fromSeed(5);
    for (let trial = 0; trial < trials; trial++) {
      const word = rng.uint32();
      for (let bit = 0; bit < 32; bit++) set[bit]! += (word >>> bit) & 1;
    }
    // 32 statistics at 6e-7: error rate 2e-5.
    for (const count of set) expect(deviation(count, trials, 0.5)).toBeLessThan(5);
  });
  it("draws uniform fractions of the right moments, in [0, 1)", () => {
    const rng = Rng.fromSeed(6);
    const trials = 50_000;
    let sum = 0;
    let squares = 0;
    let least = 1;
    let greatest = 0;
    for (let trial = 0; trial < trials; trial++) {
      const u = rng.uniform();
      least = Math.min(least, u);
      greatest = Math.max(greatest, u);
      sum += u;
      squares += u * u;
    }
    expect(least).toBeGreaterThanOrEqual(0);
    expect(greatest).toBeLessThan(1);
    // Standard deviations √(1/12) of u and √(4/45) of u².
    expect(Math.abs(sum / trials - 1 / 2)).toBeLessThan(5 * Math.sqrt(1 / 12 / trials));
    expect(Math.abs(squares / trials - 1 / 3)).toBeLessThan(5 * Math.sqrt(4 / 45 / trials));
  });
  it("draws normals of mean 0, variance 1, fourth moment 3, and no correlation between neighbours", () => {
    const count = 50_000;
    const x = Rng.fromSeed(7).normals(count);
    const mean = (value: (at: number) => number) => x.reduce((sum, _, at) => sum + value(at), 0) / count;
    const limit = (variance: number) => 5 * Math.sqrt(variance / count);
    expect(Math.abs(mean((i) => x[i]!))).toBeLessThan(limit(1));
    expect(Math.abs(mean((i) => x[i]! ** 2) - 1)).toBeLessThan(limit(2));
    expect(Math.abs(mean((i) => x[i]! ** 4) - 3)).toBeLessThan(limit(96));
    expect(Math.abs(mean((i) => x[i]! * (x[i + 1] ?? 0)))).toBeLessThan(limit(1));
  });
  it("draws unbiased integers: every remainder of 7 equally often, and of 3·2^30 no excess in the lower third", () => {
    const rng = Rng.fromSeed(8);
    const trials = 35_000;
    const counts = new Array<number>(7).fill(0);
    for (let trial = 0; trial < trials; trial++) counts[rng.integer(0, 7)]!++;
    for (const count of counts) expect(deviation(count, trials, 1 / 7)).toBeLessThan(5);
    // Plain word % (3·2^30) would fall below 2^30 half of the time: 60 standard deviations from a third.
    let low = 0;
    for (let trial = 0; trial < trials; trial++) if (rng.integer(0, 3 * 2 ** 30) < 2 ** 30) low++;
    expect(deviation(low, trials, 1 / 3)).toBeLessThan(5);
  });
  it("draws integers within any bounds, and refuses empty ranges", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 2 ** 31 }), fc.nat(), (low, count, seed) => {
        const drawn = Rng.fromSeed(seed).integer(low, low + count);
        return drawn >= low && drawn < low + count && Number.isInteger(drawn);
      }),
    );
    expect(() => Rng.fromSeed(1).integer(3, 3)).toThrow(RangeError);
    expect(() => Rng.fromSeed(1).pick([])).toThrow(RangeError);
  });
  it("shuffles fairly: all 24 orders of four items equally often", () => {
    const rng = Rng.fromSeed(9);
    const trials = 24_000;
    const counts = new Map<string, number>();
    for (let trial = 0; trial < trials; trial++) {
      const order = rng.shuffle([0, 1, 2, 3]).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    for (const count of counts.values()) expect(deviation(count, trials, 1 / 24)).toBeLessThan(5);
  });
  it("samples distinct items, and no more than there are", () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(20), fc.nat(), (size, count, seed) => {
        const items = Array.from({ length: size }, (_, index) => index);
        if (count > size) return expect(() => Rng.fromSeed(seed).sample(items, count)).toThrow(RangeError);
        const drawn = Rng.fromSeed(seed).sample(items, count);
        return expect(new Set(drawn).size).toBe(count);
      }),
    );
  });
});
