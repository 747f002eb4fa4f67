import { describe, expect, it } from "@jest/globals";
import { withinBudget } from "./within-budget.js";

const never = new AbortController().signal;
const names = (...all: string[]) => all.map((name) => ({ name }));
const stopped = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true });
  });

describe("experiments within a budget", () => {
  it("are all done when there is time", async () => {
    const { rows, missing } = await withinBudget(names("a", "b"), {
      seconds: Number.POSITIVE_INFINITY,
      interrupt: never,
      isDone: () => false,
      run: async ({ name }) => `${name} done`,
      leftOut: ({ name }) => `${name} left`,
    });
    expect(rows).toEqual(["a done", "b done"]);
    expect(missing).toEqual([]);
  });

  it("stop where the time ends: later ones are named, but those done before are reported", async () => {
    const { rows, missing } = await withinBudget(names("slow", "old", "new"), {
      seconds: 0.01,
      interrupt: never,
      isDone: ({ name }) => name === "old",
      run: async ({ name }, signal) => (name === "slow" ? stopped(signal) : `${name} done`),
      leftOut: ({ name }) => `${name} left`,
    });
    expect(rows).toEqual(["slow left", "old done", "new left"]);
    expect(missing).toEqual(["slow: interrupted, its checkpoint is saved", "new: not started"]);
  });

  it("pass on an error that has nothing to do with time, and an interrupt", async () => {
    const budget = { seconds: 1000, isDone: () => false, leftOut: () => "" };
    const broken = { ...budget, interrupt: never, run: () => Promise.reject(new Error("broken")) };
    await expect(withinBudget(names("a"), broken)).rejects.toThrow("broken");
    const interrupt = AbortSignal.timeout(5);
    const run = (_: object, signal: AbortSignal) => stopped(signal);
    await expect(withinBudget(names("a", "b"), { ...budget, interrupt, run })).rejects.toThrow("stopped");
  });
});
