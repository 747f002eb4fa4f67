import { describe, expect, it } from "@jest/globals";
import { formatSeconds, pace } from "./reporter.js";

describe("the pace of a progress bar", () => {
  it("is not known before something was done", () => {
    expect(pace(3, 0, 10)).toEqual({ rate: "–", remaining: "–" });
    expect(pace(3, 5, 10, 5)).toEqual({ rate: "–", remaining: "–" });
    expect(pace(1e-4, 5, 10)).toEqual({ rate: "–", remaining: "–" });
  });
  it("tells steps per second, and how long the others take", () => {
    expect(pace(10, 20, 100)).toEqual({ rate: "2.0", remaining: "40 s" });
  });
  it("does not count what a resumed run had done before", () => {
    expect(pace(20, 411, 800, 401)).toEqual({ rate: "0.50", remaining: "12 min 58 s" });
  });
});

describe("a time for people", () => {
  it("has two units at most", () => {
    expect([9.94, 12.4, 59.7, 75, 119.6, 7260, Infinity].map(formatSeconds)).toEqual([
      "9.9 s",
      "12 s",
      "1 min 0 s",
      "1 min 15 s",
      "2 min 0 s",
      "2 h 1 min",
      "–",
    ]);
  });
});
