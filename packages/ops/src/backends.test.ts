import { describe, expect, it } from "@jest/globals";
import * as tf from "@tensorflow/tfjs";
import { availableBackends, selectBackend } from "./backends/select.js";
import { withStockKernels } from "./backends/wasm/index.js";
import { hasKernel } from "./kernels.js";
import { compare, direction, evaluate, opCases, tensorOf } from "./testing/index.js";

const loaded = (await availableBackends()).filter(({ available }) => available).map(({ name }) => name);

// The cpu backend has no kernels of ours: there the functions are their plain definitions.
const withKernels = loaded.filter((name) => name !== "cpu");

describe.each(withKernels)("on %s, like the plain definition on cpu, without a leak", (backend) => {
  it.each(opCases.map((opCase) => [opCase.name, opCase] as const))("%s", async (_, opCase) => {
    expect(await compare(opCase, backend)).toEqual([]);
  });
});

describe("on wasm with its stock kernels", () => {
  it("the functions run their plain definitions, and afterwards our kernels again", async () => {
    await selectBackend("wasm");
    const opCase = opCases.find(({ name }) => name.startsWith("causalRead"))!;
    const ours = evaluate(opCase, opCase.run);
    const stock = await withStockKernels(async () => {
      expect(hasKernel("CausalRead")).toBe(false);
      return evaluate(opCase, opCase.run);
    });
    expect(hasKernel("CausalRead")).toBe(true);
    for (const [name, values] of Object.entries(stock.values)) {
      const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - ours.values[name]![i]!)), 0);
      expect(worst).toBeLessThan(1e-5);
    }
  });
});

describe("the gradient of the plain definition agrees with finite differences", () => {
  // Left out: kinks (zero vectors, unit vectors of one number), scores too steep for a step of this size, slow cases.
  const kinks = /large|zeros|NaN|slots 35|nothing to see|leakyKeys.*depth 1$|peekValues.*depth 1$/;
  const slow = /time 133|long window|over 33/;
  const smooth = opCases.filter(
    (each) => each.differentiable !== false && !kinks.test(each.name) && !slow.test(each.name),
  );
  it.each(smooth.map((opCase) => [opCase.name, opCase] as const))("%s", async (_, opCase) => {
    await selectBackend("cpu");
    const step = 2e-3;
    const names = Object.keys(opCase.inputs);
    const directions = names.map((name) => direction([...opCase.inputs[name]!.shape]));
    const moved = (by: number): number =>
      tf.tidy(() => {
        const inputs = names.map((name, at) => {
          const { shape, values } = opCase.inputs[name]!;
          return [
            name,
            tensorOf({ shape, values: values.map((v, i) => v + by * directions[at]!.values[i]!) }),
          ] as const;
        });
        const result = opCase.plain(Object.fromEntries(inputs));
        const weights = direction(result.shape).values;
        return Float64Array.from(result.dataSync()).reduce((sum, value, i) => sum + value * weights[i]!, 0);
      });
    const difference = (moved(step) - moved(-step)) / (2 * step);
    const gradients = evaluate(opCase, opCase.plain).values;
    let [expected, size] = [0, 0];
    names.forEach((name, at) => {
      gradients[`gradient of ${name}`]!.forEach((gradient, i) => {
        const part = gradient * directions[at]!.values[i]!;
        expected += part;
        size += Math.abs(part);
      });
    });
    expect(Math.abs(difference - expected)).toBeLessThan(0.01 * size + 0.01);
  });
});
