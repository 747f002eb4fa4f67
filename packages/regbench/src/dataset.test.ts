import { describe, expect, it } from "@jest/globals";
import { automatonFromEdges } from "./automaton.js";
import { regbenchDataset } from "./dataset.js";
import { problemOf } from "./problem.js";
import { encode } from "./vocabulary.js";

describe("regbenchDataset", () => {
  it("gives inputs and targets with −1 where the separator would come", () => {
    const problem = problemOf("one", automatonFromEdges([{ a: 0, b: 0 }]), encode("ab|a"));
    expect(regbenchDataset([problem])).toEqual([{ tokens: Int32Array.of(1, 2, 19), targets: Int32Array.of(2, -1, 1) }]);
  });
});
