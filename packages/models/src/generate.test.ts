import { beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { generate } from "./generate.js";
import { smallModel } from "./testing/small-models.js";

beforeAll(async () => {
  await selectBackend("wasm");
});

describe("generate", () => {
  it("continues a text past the context length, the same for the same seed, and frees its tensors", async () => {
    const model = smallModel("memory-mosaic");
    const before = tf.memory().numTensors;
    const continued = async (seed: number) => {
      const tokens: number[] = [];
      const rng = Rng.fromSeed(seed);
      for await (const { token } of generate(model, [1, 2, 3], 15, { temperature: 1, rng })) tokens.push(token);
      return tokens;
    };
    const text = await continued(1);
    expect(text).toHaveLength(15);
    expect(await continued(1)).toEqual(text);
    expect(await continued(2)).not.toEqual(text);
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });
});
