import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { cosine } from "./cosine.js";
import { learningRateAt, resolveSchedule, Schedule } from "./index.js";
import { step } from "./step.js";
import { timmCosine } from "./timm-cosine.js";

describe("cosine", () => {
  const paper = { learningRate: 5e-3, minimum: 1e-4, warmup: 2000, decaySteps: 80_000 };

  it("starts at 0, so that the first step moves nothing", () => {
    expect(cosine(paper, 0)).toBe(0);
  });
  it("rises linearly: half of the peak after half of the warm-up", () => {
    expect(cosine(paper, 1000)).toBe(2.5e-3);
  });
  it("has its peak at the end of the warm-up, the middle between half-way, the minimum at and after the end", () => {
    expect(cosine(paper, 2000)).toBe(5e-3);
    expect(cosine(paper, 41_000)).toBeCloseTo((5e-3 + 1e-4) / 2, 15);
    expect(cosine(paper, 80_000)).toBe(1e-4);
    expect(cosine(paper, 1e6)).toBe(1e-4);
  });
  it("gives the rates that the authors' published code logs for 8 steps, warm-up 3, decay until 10", () => {
    const logged = [
      0, 0.0016666666666666668, 0.0033333333333333335, 0.005, 0.004757373726360927, 0.004077550014553897,
      0.0030951762881929698, 0.0020048237118070297,
    ];
    for (const [iteration, rate] of logged.entries()) {
      expect(cosine({ ...paper, warmup: 3, decaySteps: 10 }, iteration)).toBeCloseTo(rate, 15);
    }
  });
  it("does not divide by zero without warm-up, or when decay ends with it", () => {
    expect(cosine({ ...paper, warmup: 0 }, 0)).toBe(5e-3);
    expect(cosine({ ...paper, warmup: 10, decaySteps: 10 }, 10)).toBe(1e-4);
  });
});

describe("timmCosine", () => {
  // 100 environments: 4 steps an epoch, 200 epochs, 20 of them warm-up.
  const regbench = { learningRate: 5e-4, minimum: 5e-5, warmup: 80, start: 1e-6, decaySteps: 800 };

  it("rises from 1e-6 towards the peak", () => {
    expect(timmCosine(regbench, 0)).toBe(1e-6);
    expect(timmCosine(regbench, 40)).toBeCloseTo(1e-6 + (5e-4 - 1e-6) / 2, 15);
  });
  it("drops to 0.978 of the peak where the warm-up ends, because the phase counts from step 0", () => {
    expect(timmCosine(regbench, 80) / 5e-4).toBeCloseTo(0.978, 3);
    expect(timmCosine(regbench, 79)).toBeGreaterThan(timmCosine(regbench, 80));
  });
  it("is in the middle half-way and ends at a tenth of the peak", () => {
    expect(timmCosine(regbench, 400)).toBeCloseTo((5e-4 + 5e-5) / 2, 15);
    expect(timmCosine(regbench, 800)).toBe(5e-5);
  });
});

describe("step", () => {
  it("multiplies the rate at each milestone", () => {
    const schedule = { learningRate: 1, warmup: 2, milestones: [4, 6], factor: 0.1 };
    const rates = [0, 1, 2, 3, 4, 5, 6, 7].map((iteration) => step(schedule, iteration));
    const expected = [0, 0.5, 1, 1, 0.1, 0.1, 0.01, 0.01];
    for (const [index, rate] of rates.entries()) expect(rate).toBeCloseTo(expected[index]!, 15);
  });
});

describe("learningRateAt", () => {
  it("gives a finite rate between 0 and the peak, for any schedule and iteration", () => {
    const kind = fc.constantFrom("cosine", "timm-cosine", "constant", "step");
    fc.assert(
      fc.property(kind, fc.integer({ min: 1, max: 5000 }), fc.nat(10_000), (name, steps, iteration) => {
        const schedule = resolveSchedule(Schedule.parse({ kind: name, learningRate: 1e-2 }), steps);
        const rate = learningRateAt(schedule, iteration);
        return rate >= 0 && rate <= 1e-2;
      }),
    );
  });
  it("warms up for 2000 steps at the paper's length, for a tenth of shorter trainings", () => {
    const schedule = Schedule.parse({ kind: "cosine" });
    expect(resolveSchedule(schedule, 80_000)).toMatchObject({ warmup: 2000, decaySteps: 80_000, learningRate: 5e-3 });
    expect(resolveSchedule(schedule, 300)).toMatchObject({ warmup: 30, decaySteps: 300 });
  });
});
