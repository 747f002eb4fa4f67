import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { StopStrings } from "./stop-strings.js";
import { TextPieces } from "./text-pieces.js";

describe("stop strings", () => {
  const shown = (stops: string[], pieces: string[]) => {
    const scanner = new StopStrings(stops);
    const parts = pieces.map((piece) => scanner.push(piece));
    return { text: parts.join("") + scanner.flush(), stopped: scanner.stopped, parts };
  };

  it("end the text before the first of them, also when it comes in pieces", () => {
    expect(shown(["END"], ["one E", "N", "D two"])).toMatchObject({ text: "one ", stopped: true });
    expect(shown(["b", "a"], ["xxab"])).toMatchObject({ text: "xx", stopped: true });
  });

  it("hold back only what may become one", () => {
    expect(shown(["END"], ["one E", "ast"]).parts).toEqual(["one ", "East"]);
    expect(shown(["END"], ["the E"])).toMatchObject({ text: "the E", stopped: false });
    expect(shown(["aab"], ["aa", "a", "b"]).text).toBe("a");
  });

  it("agree with a search in the whole text, however it is cut", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 12 });
    const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 4 }), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 5 }), stops, (pieces, stops) => {
        const whole = pieces.join("");
        const ends = stops.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0);
        const { text, stopped } = shown(stops, pieces);
        expect(stopped).toBe(ends.length > 0);
        // Cut into pieces, a string that is complete earlier wins over one that begins earlier but is complete later.
        if (!stopped) expect(text).toBe(whole);
        else {
          expect(whole.startsWith(text)).toBe(true);
          expect(stops.some((stop) => text.includes(stop))).toBe(false);
          expect(stops.some((stop) => whole.startsWith(stop, text.length))).toBe(true);
        }
      }),
    );
  });
});

describe("text in pieces", () => {
  const bytes = (tokens: readonly number[]) => new TextDecoder().decode(Uint8Array.from(tokens));

  it("waits for the last byte of a character", () => {
    const pieces = new TextPieces(bytes);
    const parts = [...new TextEncoder().encode("aé🦊")].map((byte) => pieces.push(byte));
    expect(parts).toEqual(["a", "", "é", "", "", "", "🦊"]);
    expect(pieces.flush()).toBe("");
  });

  it("does not wait forever for what is no character", () => {
    const pieces = new TextPieces(bytes);
    const parts = [0x80, 0x80, 0x80, 0x80, 0x61].map((byte) => pieces.push(byte));
    expect(parts.join("")).toBe("\uFFFD\uFFFD\uFFFD\uFFFDa");
    pieces.push(0xf0);
    expect(pieces.flush()).toBe("\uFFFD");
  });
});
