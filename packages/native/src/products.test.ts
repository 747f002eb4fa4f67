import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { type NativeBackend, registerNative } from "./index.js";

let backend: NativeBackend;
beforeAll(async () => {
  backend = registerNative({ threads: 2 });
  await tf.setBackend("native");
});
afterAll(() => {
  backend.precision = "fp32";
  backend.addon.setThreads(2);
});

/** Numbers that repeat for a seed, between -1 and 1. */
function numbers(count: number, seed: number): Float32Array {
  let state = seed * 2654435761 + 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

/** The nearest bf16 number, ties to even. */
function toBf16(x: number): number {
  const [float, bits] = [new Float32Array([x]), new Uint32Array(1)];
  bits[0] = new Uint32Array(float.buffer)[0]!;
  bits[0] = (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer)[0]!;
}

interface Shape {
  m: number;
  n: number;
  k: number;
  transposeA: boolean;
  transposeB: boolean;
}

/** The definition, in double precision. */
function multiply(a: Float32Array, b: Float32Array, { m, n, k, transposeA, transposeB }: Shape): Float64Array {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++)
      for (let l = 0; l < k; l++)
        c[i * n + j]! += a[transposeA ? l * m + i : i * k + l]! * b[transposeB ? j * k + l : l * n + j]!;
  return c;
}

function product(a: Float32Array, b: Float32Array, { m, n, k, transposeA, transposeB }: Shape): Float32Array {
  return tf.tidy(() => {
    const left = tf.tensor2d(a, transposeA ? [k, m] : [m, k]);
    const right = tf.tensor2d(b, transposeB ? [n, k] : [k, n]);
    return tf.matMul(left, right, transposeA, transposeB).dataSync() as Float32Array;
  });
}

function largestError(found: Float32Array, expected: Float64Array): number {
  return found.reduce((worst, value, i) => Math.max(worst, Math.abs(value - expected[i]!)), 0);
}

const size = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(63, 64, 65, 97));
const shapes = fc.record({ m: size, n: size, k: size, transposeA: fc.boolean(), transposeB: fc.boolean() });

describe("matrix products", () => {
  it("agree with the sums in double precision for any shape and transposes", () => {
    fc.assert(
      fc.property(shapes, fc.nat(1000), (shape, seed) => {
        const [a, b] = [numbers(shape.m * shape.k, seed), numbers(shape.k * shape.n, seed + 1)];
        expect(largestError(product(a, b, shape), multiply(a, b, shape))).toBeLessThan(4e-7 * Math.sqrt(shape.k) * 4);
      }),
      { numRuns: 40 },
    );
  });

  it("agree where blocks of rows, columns and depth end, and where long sums are cut into pieces", () => {
    for (const [m, n, k] of [
      [2060, 3, 390],
      [5, 2065, 385],
      [5, 7, 4099],
      [1, 1000, 800],
      [1000, 1, 12],
    ] as const) {
      for (const transposeA of [false, true])
        for (const transposeB of [false, true]) {
          const shape = { m, n, k, transposeA, transposeB };
          const [a, b] = [numbers(m * k, m), numbers(k * n, n)];
          expect(largestError(product(a, b, shape), multiply(a, b, shape))).toBeLessThan(2e-6 * Math.sqrt(k));
        }
    }
  });

  it("give the same bits for one, two and three threads", () => {
    const shapesToTry = [
      { m: 300, n: 200, k: 500, transposeA: false, transposeB: true },
      { m: 64, n: 48, k: 6000, transposeA: true, transposeB: false },
    ];
    for (const shape of shapesToTry) {
      const [a, b] = [numbers(shape.m * shape.k, 3), numbers(shape.k * shape.n, 4)];
      const results = [1, 2, 3].map((threads) => {
        backend.addon.setThreads(threads);
        return product(a, b, shape);
      });
      expect(results[1]).toEqual(results[0]);
      expect(results[2]).toEqual(results[0]);
    }
  });

  it("in bf16 round both operands to the nearest bf16 number and sum in fp32", () => {
    backend.precision = "bf16";
    for (const [m, n, k] of [
      [20, 33, 51],
      [100, 70, 800],
    ] as const) {
      const shape = { m, n, k, transposeA: false, transposeB: true };
      const [a, b] = [numbers(m * k, 5), numbers(k * n, 6)];
      const expected = multiply(a.map(toBf16), b.map(toBf16), shape);
      expect(largestError(product(a, b, shape), expected)).toBeLessThan(2e-6 * Math.sqrt(k));
      expect(largestError(product(a, b, shape), multiply(a, b, shape))).toBeGreaterThan(1e-4);
    }
    backend.precision = "fp32";
  });

  it("broadcast leading axes without copies", () => {
    const a = tf.tensor(numbers(2 * 3 * 4, 1), [2, 1, 3, 4]);
    const b = tf.tensor(numbers(5 * 4 * 2, 2), [5, 4, 2]);
    const all = tf.matMul(a, b);
    expect(all.shape).toEqual([2, 5, 3, 2]);
    const one = tf.matMul(a.gather(1, 0).squeeze([0]), b.gather(3, 0));
    expect(Array.from(all.gather(1, 0).gather(3, 0).dataSync())).toEqual(Array.from(one.dataSync()));
  });

  it("propagate NaN and infinity", () => {
    const found = tf
      .matMul(
        tf.tensor2d([
          [1, Number.NaN],
          [Infinity, 1],
        ]),
        tf.tensor2d([[1], [1]]),
      )
      .dataSync();
    expect(Array.from(found)).toEqual([Number.NaN, Infinity]);
  });
});
