/** Few rows, which are read where they stand, and packed weights, against the plain definitions. */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import * as ops from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { isBuilt, registerNative } from "../../index.js";

const describeBuilt = isBuilt() ? describe : describe.skip;
beforeAll(async () => {
  if (isBuilt()) await ops.selectBackend("native");
});
afterAll(() => {
  if (isBuilt()) registerNative();
});

const random = <S extends tf.Tensor>(shape: number[], seed: number): S =>
  tf.randomNormal(shape, 0, 1, "float32", seed) as S;

function expectNear(found: tf.Tensor, expected: tf.Tensor): void {
  expect(found.shape).toEqual(expected.shape);
  const error = tf.tidy(() => tf.max(tf.abs(tf.sub(found, expected))).dataSync()[0]!);
  const size = tf.tidy(() => tf.max(tf.abs(expected)).dataSync()[0]!);
  expect(error).toBeLessThan(2e-5 * Math.max(1, size));
}

/** rows × in × out: one, some and many rows; tails of every vector length; several tasks. */
const maps = [
  [1, 1, 1],
  [1, 7, 3],
  [1, 768, 700],
  [2, 33, 9],
  [3, 64, 130],
  [5, 100, 77],
  [16, 19, 258],
  [17, 50, 1100],
] as const;

describeBuilt("linear maps", () => {
  it.each(maps)("of %i rows × %i → %i agree with their definition", (rows, width, out) => {
    tf.tidy(() => {
      const x = random<tf.Tensor2D>([rows, width], 1);
      const weight = random<tf.Tensor2D>([out, width], 2);
      const bias = random<tf.Tensor1D>([out], 3);
      expectNear(ops.linear(x, weight, bias), ops.linearPlain(x, weight, bias));
      expectNear(ops.linear(x, weight), ops.linearPlain(x, weight));
      for (const format of ops.WEIGHT_FORMATS) {
        const packed = ops.packWeights(weight, format);
        expectNear(ops.packedLinear(x, packed, bias), ops.packedLinearPlain(x, packed, bias));
        expectNear(ops.packedLinear(x, packed), ops.packedLinearPlain(x, packed));
      }
    });
  });

  it("give a row the same bits, whoever its neighbours are and however many threads there are", () => {
    tf.tidy(() => {
      const x = random<tf.Tensor2D>([16, 200], 1);
      const weight = random<tf.Tensor2D>([2000, 200], 2);
      const { addon } = registerNative({ threads: 1 });
      const together = ops.linear(x, weight).arraySync();
      addon.setThreads(3);
      expect(ops.linear(x, weight).arraySync()).toEqual(together);
      for (const row of [0, 5, 15])
        expect(ops.linear(tf.slice(x, [row, 0], [1, 200]), weight).arraySync()).toEqual([together[row]]);
      registerNative();
    });
  });
});

describeBuilt("packed slots", () => {
  it.each([
    // batch, time, heads, slots, width of a head: few queries and many
    [1, 1, 1, 1, 1],
    [1, 1, 2, 5, 3],
    [1, 3, 4, 70, 16],
    [2, 2, 3, 41, 64],
    [1, 1, 2, 100, 72],
    [2, 40, 2, 33, 20],
  ])("of %i × %i tokens, %i heads, %i slots of width %i are read as defined", (batch, time, heads, slots, width) => {
    tf.tidy(() => {
      const keys = random<tf.Tensor3D>([batch, time, heads * width], 1);
      const [slotKeys, slotValues] = [2, 3].map((seed) => random<tf.Tensor2D>([heads * slots, width], seed)) as [
        tf.Tensor2D,
        tf.Tensor2D,
      ];
      const whole = (x: tf.Tensor2D) => tf.reshape(x, [1, heads, slots, width]) as tf.Tensor4D;
      expectNear(
        ops.persistentRead(keys, whole(slotKeys), whole(slotValues)),
        ops.persistentReadPlain(keys, whole(slotKeys), whole(slotValues)),
      );
      for (const format of ops.WEIGHT_FORMATS) {
        const [packedKeys, packedValues] = [ops.packWeights(slotKeys, format), ops.packWeights(slotValues, format)];
        expectNear(
          ops.packedPersistentRead(keys, packedKeys, packedValues, heads),
          ops.packedPersistentReadPlain(keys, packedKeys, packedValues, heads),
        );
      }
    });
  });
});
