import { describe, expect, it } from "@jest/globals";
import { Rng } from "@mm/run";
import { type MemoryMosaicConfig, projectionDeviation } from "./memory-mosaic/config.js";
import { countParameters, type ParameterTable, sizeOf } from "./parameters.js";
import { smallConfig } from "./testing/small-models.js";
import { ModelConfig, modelParameters, parameterShapes } from "./zoo.js";

const count = (config: unknown) => countParameters(modelParameters(ModelConfig.parse(config)));

describe("the number of parameters", () => {
  const stories = { vocabulary: 50304, width: 768, heads: 12, contextLength: 512 };

  // Counted on the authors' instantiated classes.
  it.each([
    [1, 45_713_748, 46_106_880],
    [8, 95_270_304, 95_662_848],
    [12, 123_588_336, 123_980_544],
    [18, 166_065_384, 166_457_088],
  ])("at BabiStories' size with %i blocks is that of the authors' classes", (blocks, mosaic, gpt2) => {
    expect(count({ kind: "memory-mosaic", ...stories, blocks })).toBe(mosaic);
    expect(count({ kind: "gpt2", ...stories, blocks })).toBe(gpt2);
  });

  it.each([
    [128, 2, 2, 448, 396_444],
    [256, 4, 2, 896, 1_579_320],
    [32, 8, 1, 112, 13_080],
    [32, 8, 12, 112, 149_568],
    [128, 8, 2, 448, 396_528],
    [256, 8, 8, 896, 6_301_376],
    [512, 8, 12, 1792, 37_772_448],
  ])(
    "at RegBench's size (width %i, %i heads, %i blocks, %i slots) is that of the authors' class",
    (width, heads, blocks, slots, expected) => {
      const config = { kind: "memory-mosaic", vocabulary: 20, contextLength: 1000, width, heads, blocks };
      expect(count({ ...config, slots })).toBe(expected);
      expect(count(config)).toBe(expected); // 3.5 slots per unit of width is the default
    },
  );

  it.each([
    [128, 1, 2, 923_904],
    [128, 1, 8, 2_113_536],
    [128, 2, 12, 2_906_624],
  ])(
    "of RegBench's Transformer (width %i, %i heads, %i blocks) is that of the published code",
    (width, heads, blocks, expected) => {
      expect(count({ kind: "transformer", width, heads, blocks })).toBe(expected);
    },
  );

  it("counts tied weights once, and biases", () => {
    const plain = count(smallConfig("memory-mosaic"));
    expect(count(smallConfig("memory-mosaic", { tieWeights: false })) - plain).toBe(11 * 8);
    // Per block: two layer norms, two key maps, one value map, two projections; and the last layer norm.
    expect(count(smallConfig("memory-mosaic", { bias: true })) - plain).toBe((2 * 7 + 1) * 8);
  });
});

describe("the authors' parameter names", () => {
  it("are used for a Memory Mosaic", () => {
    const shapes = parameterShapes(
      smallConfig("memory-mosaic", { blocks: 1, bias: true, tieWeights: false, keyKernel: 3 }),
    );
    expect(shapes).toEqual({
      "emb.weight": [11, 8],
      "blocks.0.ln1.weight": [8],
      "blocks.0.ln1.bias": [8],
      "blocks.0.attn.leaky_key_beta": [2],
      "blocks.0.attn.kernel_beta": [2],
      "blocks.0.attn.value_beta": [2],
      "blocks.0.attn.k_featurizer.conv.weight": [8, 8, 3],
      "blocks.0.attn.k_featurizer.conv.bias": [8],
      "blocks.0.attn.v_featurizer.coef": [2],
      "blocks.0.attn.v_featurizer.linear.weight": [8, 8],
      "blocks.0.attn.v_featurizer.linear.bias": [8],
      "blocks.0.attn.c_proj.weight": [8, 8],
      "blocks.0.attn.c_proj.bias": [8],
      "blocks.0.ln2.weight": [8],
      "blocks.0.ln2.bias": [8],
      "blocks.0.pmem.leaky_key_beta": [2],
      "blocks.0.pmem.kernel_beta": [2],
      "blocks.0.pmem.value_beta": [2],
      "blocks.0.pmem.k_featurizer.conv.weight": [8, 8, 3],
      "blocks.0.pmem.k_featurizer.conv.bias": [8],
      "blocks.0.pmem.pmem.M_k0": [1, 2, 5, 4],
      "blocks.0.pmem.pmem.M_v0": [1, 2, 5, 4],
      "blocks.0.pmem.c_proj.weight": [8, 8],
      "blocks.0.pmem.c_proj.bias": [8],
      "ln_out.weight": [8],
      "ln_out.bias": [8],
      "head.weight": [11, 8],
    });
  });
});

/**
 * Moments of a drawn parameter against its distribution: with n draws the mean lies within 5 σ/√n and the deviation
 * within 5 σ/√(2n) of theirs with an error rate below 10⁻⁶ a comparison; the seed is fixed, so the outcome is, too.
 */
function expectNormal(table: ParameterTable, name: string, deviation: number) {
  const values = draw(table, name);
  const mean = values.reduce((a, b) => a + b) / values.length;
  const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  expect(Math.abs(mean)).toBeLessThan((5 * deviation) / Math.sqrt(values.length));
  expect(Math.abs(spread - deviation)).toBeLessThan((5 * deviation) / Math.sqrt(2 * values.length));
}

function draw(table: ParameterTable, name: string): Float32Array {
  const { shape, initial } = table[name]!;
  return initial(Rng.fromSeed(7).fork(name), sizeOf(shape));
}

describe("a new Memory Mosaic", () => {
  const config = smallConfig("memory-mosaic", {
    vocabulary: 500,
    width: 48,
    heads: 4,
    blocks: 3,
    slots: 90,
    keyKernel: 2,
  });
  const table = modelParameters(config);

  it("has normal weights, of deviation one over the square root of what flows in", () => {
    expectNormal(table, "emb.weight", 1 / Math.sqrt(48));
    expectNormal(table, "blocks.0.attn.k_featurizer.conv.weight", 1 / Math.sqrt(96));
    expectNormal(table, "blocks.1.attn.v_featurizer.linear.weight", 1 / Math.sqrt(48));
    expectNormal(table, "blocks.2.pmem.pmem.M_k0", 1 / Math.sqrt(12));
    expectNormal(table, "blocks.2.pmem.pmem.M_v0", 1 / Math.sqrt(12));
  });
  it("writes less to the residual stream the more blocks there are", () => {
    expectNormal(table, "blocks.0.attn.c_proj.weight", 1 / Math.sqrt(48 * 3));
    expectNormal(table, "blocks.2.pmem.c_proj.weight", 1 / Math.sqrt(48 * 3));
    expect(projectionDeviation(config as MemoryMosaicConfig)).toBeCloseTo(1 / 12, 12);
  });
  it("has an embedding of deviation 1 when it is not the head", () => {
    const untied = modelParameters({ ...(config as MemoryMosaicConfig), tieWeights: false });
    expectNormal(untied, "emb.weight", 1);
    expectNormal(untied, "head.weight", 1 / Math.sqrt(48));
  });
  it("has heads that forget at rates from 0.5 to 5", () => {
    const rates = Array.from(draw(table, "blocks.0.attn.leaky_key_beta"), (beta) => 10 * beta);
    for (const [head, rate] of [0.5, 2, 3.5, 5].entries()) expect(rates[head]).toBeCloseTo(rate, 6);
    const single = modelParameters(smallConfig("memory-mosaic", { heads: 1 }));
    expect(draw(single, "blocks.0.pmem.leaky_key_beta")[0]).toBeCloseTo(0.05, 7);
  });
  it("has keys of length e and values of length 1/√e", () => {
    expect(Array.from(draw(table, "blocks.1.pmem.kernel_beta"))).toEqual(Array(4).fill(Math.fround(0.1)));
    expect(Array.from(draw(table, "blocks.1.attn.value_beta"))).toEqual(Array(4).fill(Math.fround(-0.05)));
  });
  it("mixes present and next value by a uniform coefficient", () => {
    const many = modelParameters(smallConfig("memory-mosaic", { width: 1000, heads: 1000 }));
    const mix = draw(many, "blocks.0.attn.v_featurizer.coef");
    expect(mix.every((c) => c >= 0 && c < 1)).toBe(true);
    expect(Math.abs(mix.reduce((a, b) => a + b) / 1000 - 0.5)).toBeLessThan(5 / Math.sqrt(12 * 1000));
  });
  it("draws every parameter from a stream of its own", () => {
    expect(draw(table, "blocks.0.attn.c_proj.weight")).not.toEqual(draw(table, "blocks.1.attn.c_proj.weight"));
  });
});

describe("a new GPT-2", () => {
  const table = modelParameters(
    smallConfig("gpt2", { vocabulary: 500, width: 48, heads: 4, blocks: 3, contextLength: 200 }),
  );

  it("has normal weights of deviation 0.02, less where they write to the residual stream", () => {
    expectNormal(table, "transformer.wte.weight", 0.02);
    expectNormal(table, "transformer.wpe.weight", 0.02);
    expectNormal(table, "transformer.h.1.attn.c_attn.weight", 0.02);
    expectNormal(table, "transformer.h.1.mlp.c_fc.weight", 0.02);
    expectNormal(table, "transformer.h.0.attn.c_proj.weight", 0.02 / Math.sqrt(6));
    expectNormal(table, "transformer.h.2.mlp.c_proj.weight", 0.02 / Math.sqrt(6));
  });
});

describe("a new Transformer of RegBench", () => {
  const table = modelParameters(smallConfig("transformer", { vocabulary: 500, width: 48, heads: 4, blocks: 3 }));

  it("has normal weights of deviation 0.02, less where they write to the residual stream", () => {
    expectNormal(table, "backbone.embeddings.word_embeddings.weight", 0.02);
    expectNormal(table, "backbone.layers.0.mixer.Wqkv.weight", 0.02);
    expectNormal(table, "backbone.layers.1.mlp.fc1.weight", 0.02);
    expectNormal(table, "backbone.layers.0.mixer.out_proj.weight", 0.02 / Math.sqrt(6));
    expectNormal(table, "backbone.layers.2.mlp.fc2.weight", 0.02 / Math.sqrt(6));
  });
});
