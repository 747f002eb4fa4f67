import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import * as tf from "@tensorflow/tfjs";
import { advanceKeys, availableBackends, leakyKeys, selectBackend } from "./index.js";

const backends = (await availableBackends()).filter(({ name, available }) => available && name !== "webgpu");
afterAll(() => selectBackend("cpu"));

describe.each(backends.map(({ name }) => name))("on %s, keys of a text in pieces", (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  it.each([[[1, 1, 1, 1, 1, 1, 1]], [[3, 1, 3]], [[7]]])("of %j tokens are those of the whole text", (pieces) => {
    tf.tidy(() => {
      const u = tf.randomNormal<tf.Rank.R3>([2, 7, 12], 0, 1, "float32", 1);
      const rate = tf.tensor1d([0, 0.3, 1000]);
      const scale = tf.tensor1d([2, 1, 0.5]);
      const expected = leakyKeys(u, rate, scale).dataSync();
      let average: tf.Tensor2D | undefined;
      let at = 0;
      const parts = pieces.map((count) => {
        const piece = advanceKeys(tf.slice(u, [0, at, 0], [2, count, 12]), rate, scale, average);
        average = piece.average;
        at += count;
        return piece.keys;
      });
      const found = tf.concat(parts, 1).dataSync();
      for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 5);
    });
  });

  it("of zeros stay zero", () => {
    const { keys, average } = advanceKeys(tf.zeros([1, 2, 4]), tf.ones([2]), tf.ones([2]));
    expect([...keys.dataSync(), ...average.dataSync()]).toEqual(Array(12).fill(0));
  });
});
