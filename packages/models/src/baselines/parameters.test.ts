/** Parameter counts of RegBench's winners, taken from instances of the published classes. */
import { describe, expect, it } from "@jest/globals";
import { countParameters } from "../parameters.js";
import { ModelConfig, modelParameters } from "../zoo.js";

const count = (config: object) => countParameters(modelParameters(ModelConfig.parse(config)));

describe("the number of parameters is that of the published code", () => {
  it.each([
    ["linear-transformer", 4, 64, 1, 463_616],
    ["linear-transformer", 4, 128, 1, 1_320_448],
    ["linear-transformer", 4, 256, 2, 4_213_760],
    ["retnet", 8, 256, 2, 8_427_008],
    ["retnet", 4, 64, 1, 267_648],
    ["retnet", 4, 256, 2, 4_216_320],
    ["gla", 8, 256, 2, 6_367_744],
    ["gla", 12, 1024, 2, 151_441_408],
    ["rwkv", 4, 256, undefined, 3_165_696],
    ["lstm", 2, 128, undefined, 266_752],
    ["lstm", 2, 256, undefined, 1_057_792],
    ["s4d", 2, 128, undefined, 317_312],
    ["s4d", 4, 128, undefined, 631_808],
    ["h3", 2, 128, undefined, 482_048],
    ["h3", 4, 128, undefined, 961_280],
    ["hyena", 4, 64, undefined, 256_128],
    ["hyena", 4, 128, undefined, 870_400],
    ["hyena", 4, 256, undefined, 3_278_592],
  ])("%s, %i blocks of width %i with %i heads", (kind, blocks, width, heads, expected) => {
    expect(count({ kind, blocks, width, ...(heads && { heads }) })).toBe(expected);
  });
});
