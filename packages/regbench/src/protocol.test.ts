import { describe, expect, it } from "@jest/globals";
import { protocolSteps, RegBenchProtocol } from "./protocol.js";

const protocol = RegBenchProtocol.parse({});

describe("RegBenchProtocol", () => {
  it("defaults to the published experiment", () =>
    expect(protocol).toMatchObject({
      environments: 100,
      valid: 500,
      test: 500,
      epochs: 200,
      batch: 32,
      learningRate: 5e-4,
      warmupFraction: 0.1,
      minimumLearningRateRatio: 0.1,
      weightDecay: 0.1,
      clip: 1,
    }));
  it("takes 4, 16, 32, 79 and 1250 steps an epoch", () =>
    expect(
      [100, 500, 1000, 2500, 40000].map((environments) => protocolSteps({ ...protocol, environments }) / 200),
    ).toEqual([4, 16, 32, 79, 1250]));
  it("refuses unknown fields", () => expect(() => RegBenchProtocol.parse({ epoch: 3 })).toThrow());
});
