import { describe, expect, it } from "@jest/globals";
import { Rng } from "@mm/run";
import fc from "fast-check";
import { groupByLength, padSequences, type Sequence, shuffledSequences } from "./problem-batches.js";

const sequence = (...tokens: number[]): Sequence => ({
  tokens: Int32Array.from(tokens),
  targets: Int32Array.from(tokens, (token) => token + 1),
});

describe("padSequences", () => {
  it("pads on the right to the longest sequence, with targets that are ignored", () => {
    const { tokens, targets, length } = padSequences([sequence(4, 5), sequence(7, 8, 9)]);
    expect(length).toBe(3);
    expect([...tokens]).toEqual([4, 5, 0, 7, 8, 9]);
    expect([...targets]).toEqual([5, 6, -1, 8, 9, 10]);
  });
});

describe("groupByLength", () => {
  it("puts sequences of like length together, the longest first", () => {
    expect(groupByLength([sequence(1), sequence(2, 3, 4), sequence(5, 6), sequence(7, 8, 9)], 2)).toEqual([
      [1, 3],
      [2, 0],
    ]);
  });
  it("visits every sequence once, in groups of at most so many rows", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 })), fc.integer({ min: 1, max: 5 }), (lengths, rows) => {
        const sequences = lengths.map((length) => sequence(...new Array<number>(length).fill(1)));
        const groups = groupByLength(sequences, rows);
        expect(groups.every((group) => group.length <= rows)).toBe(true);
        expect(groups.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, index) => index));
      }),
    );
  });
});

describe("shuffledSequences", () => {
  it("visits every sequence exactly once an epoch, the last batch with what is left", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 12 }),
        fc.nat(5),
        (count, batch, epoch) => {
          const sequences = Array.from({ length: count }, (_, index) => sequence(index));
          const perEpoch = Math.ceil(count / batch);
          const seen = Array.from({ length: perEpoch }, (_, step) =>
            shuffledSequences(sequences, batch, epoch * perEpoch + step, Rng.fromSeed(1)),
          );
          expect(seen.slice(0, -1).every((part) => part.length === batch)).toBe(true);
          const visited = seen.flatMap((part) => part.flatMap(({ tokens }) => [...tokens])).sort((a, b) => a - b);
          expect(visited).toEqual(sequences.map((_, index) => index));
        },
      ),
      { numRuns: 50 },
    );
  });
  it("takes another order every epoch, and the same one for the same seed", () => {
    const sequences = Array.from({ length: 20 }, (_, index) => sequence(index));
    const epoch = (number: number, seed = 1) =>
      shuffledSequences(sequences, 20, number, Rng.fromSeed(seed)).map(({ tokens }) => tokens[0]);
    expect(epoch(3)).toEqual(epoch(3));
    expect(epoch(3)).not.toEqual(epoch(4));
    expect(epoch(3)).not.toEqual(epoch(3, 2));
  });
});
