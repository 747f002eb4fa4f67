/** Memory Mosaics v2 against its slow definition, and what its parts do, worked by hand. */
import { describe, expect, it } from "@jest/globals";
import { availableBackends, selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { inspect } from "../inspect.js";
import { inference, type LanguageModel } from "../model.js";
import { countParameters } from "../parameters.js";
import { randomTokens, smallConfig, smallModel } from "../testing/small-models.js";
import { createModel, ModelConfig, modelParameters } from "../zoo.js";
import { AdaptiveBandwidth } from "./adaptive-bandwidth.js";
import type { MemoryMosaicV2Config } from "./config.js";
import { longReach, pairsInReach } from "./contextual-memory.js";
import { definedLogits, definedLoss } from "./testing/definition.js";

const backends = (await availableBackends()).filter(({ name, available }) => available && name !== "webgpu");
await selectBackend("wasm");

type Settings = Parameters<typeof smallModel>[1];

/** A model whose scalars are no longer all alike. */
function stirredModel(settings: Settings = {}): LanguageModel {
  const model = smallModel("memory-mosaic-v2", settings);
  for (const [name, variable] of Object.entries(model.variables()))
    if (/bandwidth|value\.scale|ln|forget$/.test(name)) {
      const noise = Rng.fromSeed(5).fork(name).uniforms(variable.size, -0.3, 0.3);
      tf.tidy(() => variable.assign(variable.add(tf.tensor(noise, variable.shape))));
    }
  return model;
}
function set(model: LanguageModel, name: string, values: number[]) {
  const variable = model.variables()[name]!;
  tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
}

function valuesOf(model: LanguageModel): Record<string, Float64Array> {
  return Object.fromEntries(
    Object.entries(model.variables()).map(([name, variable]) => [name, Float64Array.from(variable.dataSync())]),
  );
}

const VARIANTS: Record<string, Settings> = {
  "as published": {},
  "tied, without long-term memory": { tieWeights: true, longTerm: false },
  "with one bandwidth": { adaptiveBandwidth: false },
  "with fixed rates": { timeVariantKeys: false },
};

describe.each(backends.map(({ name }) => name))("on %s", (backend) => {
  it.each(Object.entries(VARIANTS))("%s, the scores are those of the definition", async (_, settings) => {
    await selectBackend(backend);
    const model = stirredModel(settings);
    const tokens = randomTokens(2, 12);
    const logits = tf.tidy(() => model.logits(tokens).arraySync());
    for (const [at, text] of tokens.arraySync().entries()) {
      const expected = definedLogits(model.config as MemoryMosaicV2Config, valuesOf(model), text);
      for (const [t, row] of expected.entries())
        for (const [word, score] of row.entries()) expect(logits[at]![t]![word]!).toBeCloseTo(score, 5);
    }
    tokens.dispose();
    model.dispose();
  });

  it("the gradients are the slopes of the definition's loss", async () => {
    await selectBackend(backend);
    const model = stirredModel();
    const config = model.config as MemoryMosaicV2Config;
    const [tokens, targets] = [randomTokens(1, 10), randomTokens(1, 10, 3)];
    const [text, next] = [tokens.arraySync()[0]!, targets.arraySync()[0]!];
    const { value, grads } = tf.variableGrads(() => model.loss(tokens, targets, inference));
    const parameters = valuesOf(model);
    const loss = () => definedLoss(definedLogits(config, parameters, text), next);
    for (const [name, variable] of Object.entries(model.variables())) {
      const gradient = grads[variable.name]!.dataSync();
      // Of matrices a few entries, spread.
      for (let i = 0; i < gradient.length; i += Math.max(1, Math.floor(gradient.length / 3))) {
        const centre = parameters[name]![i]!;
        const [above, below] = [1e-5, -1e-5].map((step) => {
          parameters[name]![i] = centre + step;
          return loss();
        });
        parameters[name]![i] = centre;
        const slope = (above! - below!) / 2e-5;
        expect(Math.abs(gradient[i]! - slope)).toBeLessThan(2e-5 + 2e-3 * Math.abs(slope));
      }
    }
    tf.dispose([value, grads, tokens, targets]);
    model.dispose();
  });
});

describe("the reach of a memory", () => {
  it("is the h − 1 newest pairs in the short term", () => {
    const reach = { nearest: 1, farthest: 3 };
    expect([0, 1, 2, 3, 4, 9].map((position) => pairsInReach(position, reach))).toEqual([0, 1, 2, 3, 3, 3]);
  });

  it("is all pairs from m back in the long term", () => {
    expect([0, 1, 2, 3, 9].map((position) => pairsInReach(position, { nearest: 2 }))).toEqual([0, 0, 1, 2, 8]);
  });

  it("shows in the weights: none beyond it, and exactly zero read where there is nothing", async () => {
    await selectBackend("wasm");
    const model = smallModel("memory-mosaic-v2");
    const inner = inspect(model, randomTokens(1, 8), (name) => /^blocks\.0\.(short|long)\.(weights|read)$/.test(name));
    const readable = (name: string) =>
      (inner[`blocks.0.${name}.weights`]!.arraySync() as number[][][][])[0]![1]!.map((row) =>
        row.flatMap((weight, j) => (weight > 0 ? [j] : [])),
      );
    expect(readable("short")).toEqual([[], [0], [0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6]]);
    expect(readable("long")[5]).toEqual([0, 1, 2, 3]);
    expect(readable("long").map((row) => row.length)).toEqual([0, 0, 1, 2, 3, 4, 5, 6]);
    const read = inner["blocks.0.long.read"]!.arraySync() as number[][][];
    expect(read[0]!.slice(0, 2).flat().map(Math.abs)).toEqual(Array(16).fill(0));
    expect(read[0]![2]!.every((value) => value !== 0)).toBe(true);
    tf.dispose(inner);
    model.dispose();
  });

  it("is drawn anew for each pass of a training, within its bounds, and fixed when the model is used", () => {
    const config = smallConfig("memory-mosaic-v2") as MemoryMosaicV2Config; // 2 … 5
    const drawn = Array.from({ length: 60 }, (_, step) =>
      longReach(config, { training: true, dropout: Rng.fromSeed(1).fork(step) }),
    );
    expect([...new Set(drawn.map(({ nearest }) => nearest))].sort()).toEqual([2, 3, 4, 5]);
    expect(longReach(config, inference)).toEqual({ nearest: 2 });
  });

  it("drawn in training gives the loss of that distance", () => {
    const model = smallModel("memory-mosaic-v2", { residualDropout: 0 });
    const config = model.config as MemoryMosaicV2Config;
    const [tokens, targets] = [randomTokens(1, 12), randomTokens(1, 12, 3)];
    const losses = new Set<number>();
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const mode = { training: true as const, dropout: Rng.fromSeed(seed) };
      const distance = longReach(config, mode).nearest;
      const loss = tf.tidy(() => model.loss(tokens, targets, mode).dataSync()[0]!);
      const logits = definedLogits(config, valuesOf(model), tokens.arraySync()[0]!, distance);
      expect(loss).toBeCloseTo(definedLoss(logits, targets.arraySync()[0]!), 5);
      losses.add(loss);
    }
    expect(losses.size).toBeGreaterThan(1);
    tf.dispose([tokens, targets]);
    model.dispose();
  });
});

describe("the adaptive bandwidth", () => {
  const bandwidths = (pairs: number[], values: Record<string, number[]>) => {
    const config = smallConfig("memory-mosaic-v2") as MemoryMosaicV2Config;
    const get = (name: string) => (values[name] === undefined ? undefined : tf.tensor1d(values[name]));
    const scope = { get, find: get } as unknown as ConstructorParameters<typeof AdaptiveBandwidth>[1];
    return tf.tidy(() => new AdaptiveBandwidth(config, scope).apply(pairs).arraySync());
  };
  const initial = {
    "bandwidth.offset": [1.5, 1.5],
    "bandwidth.factor": [1.5, 1.5],
    "bandwidth.exponent": [1 / 3, -1 / 3],
  };

  it("starts at twice e^1.5 for one pair, and e^1.5 (8^⅓ + 1) for eight; the sign of the exponent is void", () => {
    const [one, eight] = bandwidths([1, 8], initial);
    for (const beta of one!) expect(beta).toBeCloseTo(2 * Math.exp(1.5), 4);
    for (const beta of eight!) expect(beta).toBeCloseTo(3 * Math.exp(1.5), 4);
  });

  it("is that of one pair where there is none, so that nothing is infinite", () => {
    expect(bandwidths([0], initial)).toEqual(bandwidths([1], initial));
  });

  it("grows at most like the number of pairs, from factors of at most e^10", () => {
    const huge = { "bandwidth.offset": [50, 0], "bandwidth.factor": [0, 50], "bandwidth.exponent": [3, 3] };
    const [first, second] = bandwidths([4], huge)[0]!;
    expect(first! / (Math.exp(10) + 4)).toBeCloseTo(1, 5);
    expect(second! / (1 + 4 * Math.exp(10))).toBeCloseTo(1, 5);
  });
});

describe("the gated keys", () => {
  it("follow two tokens by hand", async () => {
    await selectBackend("wasm");
    const model = smallModel("memory-mosaic-v2", { blocks: 1, heads: 1, width: 2, vocabulary: 11 });
    // ln1 of (1, −1) is (1, −1) but for its epsilon, and of (−1, 1) likewise.
    const words = Array(22).fill(0);
    words.splice(2, 4, 1, -1, -1, 1);
    set(model, "emb.weight", words);
    set(model, "blocks.0.short.key.weight", [1, 0, 0, -2]); // k̃ = (1, 2) and (−1, −2)
    set(model, "blocks.0.short.gate.weight", [Math.LN2, 0]); // g = 2 and ½
    set(model, "blocks.0.short.forget.weight", [0, Math.log(4)]); // λ = ¼ both times
    const tokens = tf.tensor2d([[1, 2]], [1, 2], "int32");
    const inner = inspect(model, tokens, (name) => name.startsWith("blocks.0.short.keys"));
    const average = inner["blocks.0.short.keys.average"]!.dataSync();
    // 2 (1, 2), then ¼ (2, 4) + ½ (−1, −2) = (0, 0)
    for (const [i, value] of [2, 4, 0, 0].entries()) expect(average[i]!).toBeCloseTo(value, 3);
    const keys = inner["blocks.0.short.keys"]!.dataSync();
    for (const [i, value] of [1 / Math.sqrt(5), 2 / Math.sqrt(5)].entries()) expect(keys[i]!).toBeCloseTo(value, 4);
    tf.dispose([inner, tokens]);
    model.dispose();
  });

  it("stay finite, gradients too, whatever the gates", async () => {
    await selectBackend("wasm");
    for (const size of [200, -200]) {
      const model = smallModel("memory-mosaic-v2", { blocks: 1 });
      const [tokens, targets] = [randomTokens(2, 10), randomTokens(2, 10, 3)];
      for (const part of ["gate", "forget"]) {
        const variable = model.variables()[`blocks.0.short.${part}.weight`]!;
        tf.tidy(() => variable.assign(variable.mul(size)));
      }
      const { value, grads } = tf.variableGrads(() => model.loss(tokens, targets, inference));
      for (const tensor of [value, ...Object.values(grads)])
        expect(tensor.dataSync().every((number) => Number.isFinite(number))).toBe(true);
      tf.dispose([value, grads, tokens, targets]);
      model.dispose();
    }
  });
});

describe("a new Memory Mosaic v2", () => {
  const count = (settings: object) =>
    countParameters(modelParameters(ModelConfig.parse({ kind: "memory-mosaic-v2", ...settings })));

  it("has by default the sizes of the small model, 6 d² + 3 d d′ parameters a block and a few vectors", () => {
    const config = ModelConfig.parse({ kind: "memory-mosaic-v2" }) as MemoryMosaicV2Config;
    expect(config).toMatchObject({ blocks: 24, width: 2048, heads: 16, hiddenWidth: 6144, contextLength: 4096 });
    expect(config).toMatchObject({
      shortWindow: 256,
      longDistance: 64,
      longDistanceInTraining: 256,
      tieWeights: false,
    });
    const [d, hidden, H, L, V] = [2048, 6144, 16, 24, 50304];
    // Per block 6 d² + 3 d d′; two vectors per head for gates and rates, and five numbers, in each of two memories.
    const block = 6 * d * d + 3 * d * hidden + 2 * (2 * H * d + 5 * H) + 2 * d;
    expect(count({})).toBe(L * block + 2 * V * d + d);
  });

  it("draws matrices of deviation 1/√(2 · inputs · (block + 1)), cut at three deviations, and words of 1/√(2 d)", () => {
    const table = modelParameters(
      ModelConfig.parse({ kind: "memory-mosaic-v2", blocks: 3, width: 64, heads: 4, vocabulary: 400 }),
    );
    const expectDeviation = (name: string, deviation: number) => {
      const { shape, initial } = table[name]!;
      const values = initial(
        Rng.fromSeed(7).fork(name),
        shape.reduce((a, b) => a * b),
      );
      const spread = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
      expect(Math.abs(spread / deviation - 1)).toBeLessThan(5 / Math.sqrt(2 * values.length) + 0.005);
      expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(3 * deviation * (1 + 1e-6));
    };
    expectDeviation("emb.weight", 1 / Math.sqrt(128));
    expectDeviation("head.weight", 1 / Math.sqrt(128));
    for (const name of ["short.key", "long.value", "c_proj", "pmem.w1", "short.gate"])
      expectDeviation(`blocks.2.${name}.weight`, 1 / Math.sqrt(2 * 64 * 3));
    expectDeviation("blocks.0.pmem.w2.weight", 1 / Math.sqrt(2 * 192));
  });

  it("decays its matrices and not what heads have one number of", () => {
    const model = createModel(smallConfig("memory-mosaic-v2"), Rng.fromSeed(1));
    const spared = Object.keys(model.variables()).filter((name) => !model.decayed(name));
    expect(spared.every((name) => /ln|bandwidth|value\.(mix|scale)/.test(name))).toBe(true);
    expect(spared).toHaveLength(2 * (2 + 2 * 5) + 1);
    model.dispose();
  });

  it("has values of length one, which can only grow: the sign of their exponent is void", () => {
    const model = smallModel("memory-mosaic-v2", { blocks: 1 });
    const tokens = randomTokens(2, 10);
    const lengths = () => {
      const inner = inspect(model, tokens, (name) => name === "blocks.0.short.values");
      const values = inner["blocks.0.short.values"] as tf.Tensor3D;
      const norms = tf.tidy(() => tf.norm(values.reshape([20, 2, 4]), 2, 2).dataSync());
      tf.dispose(inner);
      return norms;
    };
    for (const length of lengths()) expect(length).toBeCloseTo(1, 5);
    set(model, "blocks.0.short.value.scale", [Math.LN2, -Math.LN2]);
    for (const length of lengths()) expect(length).toBeCloseTo(2, 5);
    tokens.dispose();
    model.dispose();
  });

  it("refuses a distance in training below the one in use", () => {
    const parsed = ModelConfig.safeParse({ kind: "memory-mosaic-v2", longDistance: 9, longDistanceInTraining: 8 });
    expect(parsed.error?.issues[0]).toMatchObject({
      path: ["longDistanceInTraining"],
      message: "expected at least longDistance, 9",
    });
  });
});
