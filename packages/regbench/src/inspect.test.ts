import { describe, expect, it } from "@jest/globals";
import { automatonFromEdges } from "./automaton.js";
import { inspectProblem } from "./inspect.js";
import { oracle, uniformPredictor } from "./predictor.js";
import { problemOf } from "./problem.js";
import { encode } from "./vocabulary.js";

const problem = problemOf("hand", automatonFromEdges([{ a: 1, b: 0 }, { c: 0 }]), encode("ba|ac"));

describe("inspectProblem", () => {
  it("lists tokens, states, strings, allowed letters and answers", async () => {
    const { positions, text, automaton } = await inspectProblem(oracle([problem]), problem);
    expect([text, automaton]).toEqual(["ba|ac", [{ a: 1, b: 0 }, { c: 0 }]]);
    expect(
      positions.map(({ token, state, string, label, allowed, best }) => [
        token,
        state,
        string,
        label,
        allowed.join(""),
        best,
      ]),
    ).toEqual([
      ["b", 0, 0, "a", "ab", "a"],
      ["a", 1, 0, null, "c", "c"],
      ["|", 0, 1, "a", "ab", "a"],
      ["a", 1, 1, "c", "c", "c"],
    ]);
    for (const { correct, totalVariation, probabilities, exact } of positions) {
      expect([correct, totalVariation]).toEqual([true, 0]);
      expect(probabilities).toEqual(exact);
    }
  });
  it("marks what the model got wrong, and survives JSON", async () => {
    const inspected = await inspectProblem(uniformPredictor, problem);
    expect(inspected.positions.map(({ correct }) => correct)).toEqual([true, false, true, false]);
    expect(inspected.positions[1]!.totalVariation).toBeCloseTo(17 / 18, 12);
    expect(JSON.parse(JSON.stringify(inspected))).toEqual(inspected);
  });
});
