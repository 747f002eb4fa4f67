import { describe, expect, it } from "@jest/globals";
import { philox4x32 } from "./philox.js";

const words = (c: number[], k: [number, number], rounds?: number) =>
  Array.from(philox4x32(c[0]!, c[1]!, c[2]!, c[3]!, k, new Uint32Array(4), rounds), (w) =>
    w.toString(16).padStart(8, "0"),
  );

// Known answers published with the Random123 library (kat_vectors, philox4x32 of 10 and of 7 rounds).
describe("philox4x32", () => {
  it("gives the published words for a zero counter and key", () => {
    expect(words([0, 0, 0, 0], [0, 0])).toEqual(["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]);
  });
  it("gives the published words for a counter and key of all ones", () => {
    const ones = 0xffffffff;
    expect(words([ones, ones, ones, ones], [ones, ones])).toEqual(["408f276d", "41c83b0e", "a20bc7c6", "6d5451fd"]);
  });
  it("gives the published words for the digits of pi", () => {
    expect(words([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).toEqual([
      "d16cfe09",
      "94fdcceb",
      "5001e420",
      "24126ea1",
    ]);
  });
  it("gives the published words of seven rounds", () => {
    const ones = 0xffffffff;
    expect(words([0, 0, 0, 0], [0, 0], 7)).toEqual(["5f6fb709", "0d893f64", "4f121f81", "4f730a48"]);
    expect(words([ones, ones, ones, ones], [ones, ones], 7)).toEqual(["5207ddc2", "45165e59", "4d8ee751", "8c52f662"]);
  });
});
