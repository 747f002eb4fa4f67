import { beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { type NativeBackend, registerNative } from "./index.js";

let backend: NativeBackend;
beforeAll(async () => {
  await selectBackend("native", { threads: 2 });
  backend = registerNative({ threads: 2 });
});

describe("the native backend", () => {
  it("says which instruction set and how many threads it uses", async () => {
    const { name, version } = await selectBackend("native", { threads: 2 });
    expect(name).toBe("native");
    expect(version).toMatch(/\((baseline|avx2|avx512|avx512bf16), 2 threads\)/);
  });

  it("shares memory between a tensor and its reshapes, and frees it with the last of them", () => {
    const live = () => backend.addon.memoryUse().live;
    const before = live();
    const a = tf.ones([100, 10]);
    const after = live();
    const b = a.reshape([10, 100]);
    const c = tf.cast(b, "float32");
    expect(live()).toBe(after);
    tf.dispose([a, b]);
    expect(c.sum().arraySync()).toBe(1000);
    c.dispose();
    expect(live()).toBeLessThan(after);
    expect(live() - before).toBeLessThan(1000);
  });

  it("keeps the caller's array its own", () => {
    const values = new Float32Array([1, 2, 3]);
    const x = tf.tensor1d(values);
    values[0] = 100;
    const read = x.dataSync();
    expect(Array.from(read)).toEqual([1, 2, 3]);
    read[1] = 100;
    expect(Array.from(x.dataSync())).toEqual([1, 2, 3]);
  });

  it("takes no fresh memory from the system once a step has run", () => {
    const weights = tf.variable(tf.randomNormal([64, 32]));
    const step = () =>
      tf.tidy(() => {
        const x = tf.ones([16, 64]);
        const { value, grads } = tf.variableGrads(
          () => tf.tanh(tf.matMul(x, weights)).square().mean().asScalar(),
          [weights],
        );
        return [value, ...Object.values(grads)].map((tensor) => tensor.dataSync()[0]);
      });
    step();
    step();
    const { fresh, live } = backend.addon.memoryUse();
    for (let i = 0; i < 5; i++) step();
    expect(backend.addon.memoryUse()).toMatchObject({ fresh, live });
    weights.dispose();
  });

  it("leaks neither tensors nor memory, also where kernels are borrowed", () => {
    const run = () =>
      tf.tidy(() => {
        const x = tf.tensor2d([3, 1, 2, 9, 8, 7], [2, 3]);
        tf.topk(x, 2).values.sum().dataSync();
        tf.fft(tf.complex(x, x)).dispose();
        tf.concat([x, x.reverse(1)], 1)
          .transpose()
          .softmax()
          .argMax(0)
          .dataSync();
        tf.grad((y: tf.Tensor) =>
          tf
            .cumsum(tf.gather(y, [1, 0, 1]))
            .pad([
              [1, 1],
              [0, 2],
            ])
            .slice([1, 1])
            .sum(),
        )(x).dataSync();
      });
    run();
    const before = { ...tf.memory(), ids: backend.numDataIds(), live: backend.addon.memoryUse().live };
    for (let i = 0; i < 3; i++) run();
    expect({ ...tf.memory(), ids: backend.numDataIds(), live: backend.addon.memoryUse().live }).toEqual(before);
  });

  it("measures the time of each kernel, borrowed ones marked", () => {
    backend.profile.start();
    tf.tidy(() => {
      tf.matMul(tf.ones([50, 50]), tf.ones([50, 50])).dataSync();
      tf.topk(tf.tensor1d([1, 2]), 1);
    });
    const times = backend.profile.stop();
    const named = (kernel: string) => times.find((entry) => entry.kernel === kernel);
    expect(named("BatchMatMul")).toMatchObject({ calls: 1 });
    expect(named("BatchMatMul")!.milliseconds).toBeGreaterThan(0);
    expect(named("TopK (JavaScript)")).toMatchObject({ calls: 1 });
  });

  it("refuses a number of threads that is none", async () => {
    process.env["MM_THREADS"] = "many";
    try {
      await expect(selectBackend("native")).rejects.toMatchObject({
        cause: { message: expect.stringContaining('"many"') },
      });
    } finally {
      delete process.env["MM_THREADS"];
    }
  });
});

/** Elementwise functions against the numbers of JavaScript, over all magnitudes and the awkward values. */
describe("elementwise kernels", () => {
  const awkward = [
    0,
    -0,
    1,
    -1,
    1e-40,
    -1e-40,
    1e-30,
    1e30,
    -1e30,
    88,
    -88,
    104,
    -104,
    Infinity,
    -Infinity,
    Number.NaN,
  ];
  const values = Float32Array.from([
    ...awkward,
    ...Array.from({ length: 2001 }, (_, i) => (i - 1000) / 97),
    ...Array.from({ length: 200 }, (_, i) => 2 ** (i / 2 - 50)),
  ]);
  const functions: [string, (x: tf.Tensor) => tf.Tensor, (x: number) => number][] = [
    ["exp", tf.exp, Math.exp],
    ["log", tf.log, Math.log],
    ["tanh", tf.tanh, Math.tanh],
    ["sigmoid", tf.sigmoid, (x) => 1 / (1 + Math.exp(-x))],
    ["softplus", tf.softplus, (x) => (x > 40 ? x : Math.log1p(Math.exp(x)))],
    ["sqrt", tf.sqrt, Math.sqrt],
    ["expm1", tf.expm1, Math.expm1],
    ["abs", tf.abs, Math.abs],
    ["relu", tf.relu, (x) => Math.max(x, 0)],
  ];
  for (const [name, run, exact] of functions) {
    it(`${name} is within 4e-7 of the exact value, with its infinities and NaN`, () => {
      const found = tf.tidy(() => run(tf.tensor1d(values)).dataSync());
      values.forEach((x, i) => {
        const expected = Math.fround(exact(x));
        if (Number.isNaN(expected) || !Number.isFinite(expected)) expect([x, found[i]]).toEqual([x, expected]);
        else if (Math.abs(found[i]! - expected) > 4e-7 * Math.abs(expected) + 3e-45)
          throw new Error(`${name}(${x}) = ${found[i]}, expected ${expected}`);
      });
    });
  }

  it("broadcasts along any axes", () => {
    const a = tf.range(0, 24).reshape([2, 1, 3, 4]);
    const b = tf.range(0, 10).reshape([5, 1, 2]).mul(100).tile([1, 1, 2]);
    const sum = tf.add(a, b);
    expect(sum.shape).toEqual([2, 5, 3, 4]);
    for (const [i, j, k, l] of [
      [0, 0, 0, 0],
      [1, 4, 2, 3],
      [0, 2, 1, 2],
    ] as const) {
      const expected = (i * 3 + k) * 4 + l + 100 * (j * 2 + (l % 2));
      expect(sum.bufferSync().get(i, j, k, l)).toBe(expected);
    }
  });

  it("sums long tensors alike for any number of threads", () => {
    const x = tf.randomNormal([70000]);
    const sums = [1, 2, 3].map((threads) => {
      backend.addon.setThreads(threads);
      return tf.sum(x).dataSync()[0];
    });
    expect(new Set(sums).size).toBe(1);
    backend.addon.setThreads(2);
    x.dispose();
  });
});
