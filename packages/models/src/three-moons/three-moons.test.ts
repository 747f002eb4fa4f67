import { afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { complexified, moduli } from "./complex-map.js";
import { MoonMemoryConfig } from "./config.js";
import { MoonMemory } from "./moon-memory.js";
import { HELD_OUT_TRIPLE, jointPeriod, moonPositions, startsBelow, stepsPerUnit, TRAINING_TRIPLES } from "./moons.js";

beforeAll(async () => {
  await selectBackend("cpu");
});

describe("the moons", () => {
  const density = stepsPerUnit({ block: 800, minimumPeriods: 3 });

  it("stand where their sines and cosines say", () => {
    const [sine, cosine] = moonPositions({ periods: [0.5, 1, 2], start: 0, length: 1, density });
    expect(sine).toBeCloseTo(Math.sin(0.3), 6);
    expect(cosine).toBeCloseTo(Math.cos(0.3), 6);
  });

  it("repeat after the joint period, and each alone after its own", () => {
    const periods = [1, 1.5, 3] as const;
    const steps = 90; // density 30 makes every period a whole number of steps
    const window = (start: number) => moonPositions({ periods, start, length: 5, density: 30 });
    for (const [index, value] of window(17).entries()) expect(window(17 + steps)[index]).toBeCloseTo(value, 5);
    expect(window(17 + 30)[0]).toBeCloseTo(window(17)[0]!, 5);
    expect(Math.abs(window(30)[2]! - window(0)[2]!)).toBeGreaterThan(0.1);
  });

  it("are seen from the third one by subtracting its position", () => {
    const window = { periods: [0.5, 1, 2] as const, start: 3, length: 1, density };
    const sun = moonPositions(window);
    const planet = moonPositions({ ...window, observer: "planet" });
    expect(planet[0]).toBeCloseTo(sun[0]! - sun[4]!, 6);
    expect(planet[3]).toBeCloseTo(sun[3]! - sun[5]!, 6);
    expect(planet[4]).toBe(sun[4]);
  });

  it("hold out a triple of periods each of which is seen in training", () => {
    expect(TRAINING_TRIPLES).not.toContainEqual(HELD_OUT_TRIPLE);
    const seen = new Set(TRAINING_TRIPLES.flat());
    expect(HELD_OUT_TRIPLE.every((period) => seen.has(period))).toBe(true);
    expect([...TRAINING_TRIPLES, HELD_OUT_TRIPLE].map(jointPeriod)).toEqual([2, 3, 3, 3, 3, 5, 6, 6, 6]);
    expect(startsBelow(800)).toBe(8399);
  });
});

describe("a complex map", () => {
  it("is found on each block of two by two", async () => {
    const map = complexified(
      tf.tensor2d([
        [1, 2],
        [4, 5],
      ]),
    );
    expect(await map.array()).toEqual([
      [3, -1],
      [1, 3],
    ]);
    expect((await moduli(map))[0]![0]).toBeCloseTo(Math.sqrt(10));
  });

  it("is left as it is", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -9999, max: 9999 }), { minLength: 24, maxLength: 24 }), (thousandths) => {
        // No denormal numbers: halving them rounds.
        const values = thousandths.map((value) => value / 1000);
        const once = complexified(tf.tensor2d(values, [4, 6]));
        expect(Array.from(complexified(once).dataSync())).toEqual(Array.from(once.dataSync()));
      }),
      { numRuns: 20 },
    );
  });
});

describe("the moons' memory", () => {
  const made: MoonMemory[] = [];
  const memory = (settings: object) => {
    const one = MoonMemory.create(MoonMemoryConfig.parse(settings), Rng.fromSeed(1));
    made.push(one);
    return one;
  };
  afterEach(() => {
    for (const one of made.splice(0)) one.dispose();
  });
  const random = (batch: number, time: number) => tf.randomNormal<tf.Rank.R3>([batch, time, 6], 0, 1, "float32", 7);

  it("predicts zero at the first step, where nothing is stored", () => {
    const first = memory({}).predict(random(2, 5)).slice([0, 0, 0], [-1, 1, -1]);
    expect(Math.max(...first.abs().dataSync())).toBe(0);
  });

  it("repeats what followed the same step before, as an identity map with sharp scores does", () => {
    const identity = Array.from({ length: 36 }, (_, i) => (i % 7 === 0 ? 1 : 0));
    const weights = { "k_lin.weight": identity, "v_lin.weight": identity, "out_proj.weight": identity };
    const exact = MoonMemory.withWeights(MoonMemoryConfig.parse({}), weights);
    made.push(exact);
    // Period 3 of steps that are far apart on the sphere: all norms are √3.
    const density = 3;
    const x = tf.tensor3d(moonPositions({ periods: [1, 1, 1], start: 0, length: 7, density }), [1, 7, 6]);
    const predicted = exact.predict(x).slice([0, 3, 0], [1, 3, 6]);
    expect(tf.max(tf.abs(tf.sub(predicted, x.slice([0, 4, 0], [1, 3, 6])))).dataSync()[0]).toBeLessThan(1e-5);
  });

  it("never looks ahead", () => {
    const one = memory({ heads: 3, features: 2 });
    const x = random(1, 8);
    const changed = tf.concat([x.slice([0, 0, 0], [1, 5, 6]), random(1, 3).mul(3)], 1) as tf.Tensor3D;
    const [a, b] = [x, changed].map((given) => one.predict(given).slice([0, 0, 0], [1, 5, 6]).dataSync());
    expect(a).toEqual(b);
  });

  it.each([true, false])("generates first what it would predict (cache: %s)", (cache) => {
    const one = memory({ heads: 3, features: 2 });
    const x = random(2, 6);
    const predicted = one.predict(x).slice([0, 5, 0], [-1, 1, -1]);
    const generated = one.generate(x, 1, { cache });
    expect(tf.max(tf.abs(tf.sub(predicted, generated))).dataSync()[0]).toBeLessThan(1e-6);
  });

  it("keeps no tensor", () => {
    const one = memory({});
    const x = random(1, 5);
    const before = tf.memory().numTensors;
    tf.dispose([one.predict(x), one.attention(x), one.generate(x, 3, { cache: true })]);
    expect(tf.memory().numTensors).toBe(before);
  });
});
