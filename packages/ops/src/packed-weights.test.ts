import { beforeAll, describe, expect, it } from "@jest/globals";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import {
  linear,
  type PackedWeights,
  packedLinear,
  packedPersistentRead,
  packWeights,
  persistentRead,
  selectBackend,
  unpackWeights,
  WEIGHT_FORMATS,
} from "./index.js";

beforeAll(async () => {
  await selectBackend("cpu");
});

const rows = (packed: PackedWeights) => unpackWeights(packed).arraySync();

describe("weights packed as bf16", () => {
  it("keep eight significant bits, ties going to the even neighbour", () => {
    const exact = [1, -2.5, 1.0078125, 0, -0];
    const packed = packWeights(tf.tensor2d([...exact, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.3895e38], [2, 4]), "bf16");
    // 1 + 2⁻⁸ lies between 1 and 1 + 2⁻⁷; 1 + 3·2⁻⁸ between 1 + 2⁻⁷ and 1 + 2⁻⁶; the last is the largest bf16
    expect(rows(packed)).toEqual([
      [1, -2.5, 1.0078125, 0],
      [-0, 1, 1 + 2 ** -6, 3.3895313892515355e38],
    ]);
  });
  it("keep infinity and NaN", () => {
    const [[infinite, none]] = rows(packWeights(tf.tensor2d([[Number.POSITIVE_INFINITY, Number.NaN]]), "bf16")) as [
      [number, number],
    ];
    expect(infinite).toBe(Number.POSITIVE_INFINITY);
    expect(none).toBeNaN();
  });
});

describe("weights packed as int8", () => {
  it("are 127ths of the largest number of their row", () => {
    const packed = packWeights(
      tf.tensor2d([
        [127, -127, 1, 0.6],
        [0, 0, 0, 0],
        [-2.54, 0.02, 0.009, 1.2],
      ]),
      "int8",
    );
    const [first, second, third] = rows(packed) as [number[], number[], number[]];
    expect(first).toEqual([127, -127, 1, 1]);
    expect(second).toEqual([0, 0, 0, 0]);
    for (const [j, expected] of [-2.54, 0.02, 0, 1.2].entries()) expect(third[j]).toBeCloseTo(expected, 5);
  });
});

describe("packed weights", () => {
  it.each([
    ["bf16", 2 ** -8],
    ["int8", 1 / 254],
  ] as const)("as %s are wrong by at most %d of the row's largest number", (format, share) => {
    const number = fc.float({ min: -100, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number, number), { minLength: 1, maxLength: 5 }), (matrix) => {
        const found = rows(packWeights(tf.tensor2d(matrix), format));
        matrix.forEach((row, i) => {
          const largest = Math.max(...row.map(Math.abs));
          for (const [j, value] of row.entries())
            expect(Math.abs(found[i]![j]! - value)).toBeLessThanOrEqual(share * largest * 1.0001 + 1e-38);
        });
      }),
    );
  });

  it.each(WEIGHT_FORMATS)("give as %s the products of what they unpack to", (format) => {
    const x = tf.randomNormal<tf.Rank.R3>([2, 3, 5], 0, 1, "float32", 1);
    const packed = packWeights(tf.randomNormal([7, 5], 0, 1, "float32", 2), format);
    const bias = tf.range(0, 7) as tf.Tensor1D;
    expect(packedLinear(x, packed, bias).arraySync()).toEqual(linear(x, unpackWeights(packed), bias).arraySync());
    const slots = packWeights(tf.randomNormal([8, 4], 0, 1, "float32", 3), format);
    const keys = tf.randomNormal<tf.Rank.R3>([1, 3, 8], 0, 1, "float32", 4);
    const whole = tf.reshape(unpackWeights(slots), [1, 2, 4, 4]) as tf.Tensor4D;
    expect(packedPersistentRead(keys, slots, slots, 2).arraySync()).toEqual(
      persistentRead(keys, whole, whole).arraySync(),
    );
  });

  it("refuse inputs and slots that do not fit", () => {
    const packed = packWeights(tf.ones([4, 3]), "int8");
    expect(() => packedLinear(tf.ones([2, 4]), packed)).toThrow("expected x of shape [..., 3], found [2,4]");
    expect(() => packedPersistentRead(tf.ones([1, 1, 6]), packed, packWeights(tf.ones([4, 3]), "bf16"), 2)).toThrow(
      "found 4 × 3 int8 and 4 × 3 bf16",
    );
  });
});
