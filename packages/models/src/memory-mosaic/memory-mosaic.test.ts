/** What makes a Memory Mosaic one: worked by hand or from its equations. */
import { beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { inspect } from "../inspect.js";
import { inference, type LanguageModel } from "../model.js";
import { randomTokens, smallConfig, smallModel } from "../testing/small-models.js";
import { createModel, ModelConfig } from "../zoo.js";
import type { MemoryMosaicConfig } from "./config.js";

beforeAll(async () => {
  await selectBackend("wasm");
});

function set(model: LanguageModel, name: string, values: number[]) {
  const variable = model.variables()[name]!;
  tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
}

/** Copies the parameters that both models have. */
function share(from: LanguageModel, to: LanguageModel) {
  for (const [name, variable] of Object.entries(to.variables())) variable.assign(from.variables()[name]!);
}

function lossAndGradient(model: LanguageModel, name: string, tokens: tf.Tensor2D, targets: tf.Tensor2D) {
  const variable = model.variables()[name]!;
  const { value, grads } = tf.variableGrads(() => model.loss(tokens, targets, inference), [variable]);
  const result = { loss: value.dataSync()[0]!, gradient: Array.from(grads[variable.name]!.dataSync()) };
  tf.dispose([value, grads]);
  return result;
}

describe("the contextual memory", () => {
  it("returns exactly zero at the first position, where nothing is stored", () => {
    const model = smallModel("memory-mosaic");
    const tokens = randomTokens(2, 6);
    const inner = inspect(model, tokens, (name) => name === "blocks.0.attn.output");
    const output = inner["blocks.0.attn.output"]!.arraySync() as number[][][];
    expect(output.map((rows) => rows[0]!.map(Math.abs))).toEqual([Array(8).fill(0), Array(8).fill(0)]);
    expect(output[0]![1]!.some((value) => value !== 0)).toBe(true);
    tf.dispose(inner);
    model.dispose();
  });

  it("returns the bias there when the output map has one", () => {
    const model = smallModel("memory-mosaic", { bias: true });
    set(model, "blocks.0.attn.c_proj.bias", [1, 2, 3, 4, 5, 6, 7, 8]);
    const inner = inspect(model, randomTokens(1, 4), (name) => name === "blocks.0.attn.output");
    const output = inner["blocks.0.attn.output"]!.arraySync() as number[][][];
    expect(output[0]![0]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    tf.dispose(inner);
    model.dispose();
  });

  it("returns zero at as many positions as values peek ahead", () => {
    const model = smallModel("memory-mosaic", { peekShift: 3 });
    const inner = inspect(model, randomTokens(1, 6), (name) => name === "blocks.0.attn.weights");
    const weights = inner["blocks.0.attn.weights"]!.arraySync() as number[][][][];
    const sums = weights[0]![0]!.map((row) => row.reduce((a, b) => a + b));
    for (const [position, sum] of sums.entries()) expect(sum).toBeCloseTo(position < 3 ? 0 : 1, 6);
    expect(weights[0]![0]![3]!.slice(1)).toEqual([0, 0, 0, 0, 0]);
    tf.dispose(inner);
    model.dispose();
  });

  it.each([0, 1, -0.25, 1.3])("stays finite, loss and gradients, with a mixing coefficient of %d", (mix) => {
    const model = smallModel("memory-mosaic", { blocks: 1 });
    set(model, "blocks.0.attn.v_featurizer.coef", [mix, mix]);
    const [tokens, targets] = [randomTokens(2, 6), randomTokens(2, 6, 3)];
    for (const name of ["blocks.0.attn.v_featurizer.coef", "blocks.0.attn.v_featurizer.linear.weight", "emb.weight"]) {
      const { loss, gradient } = lossAndGradient(model, name, tokens, targets);
      expect(Number.isFinite(loss) && gradient.every(Number.isFinite)).toBe(true);
    }
    model.dispose();
  });

  it("forgets at the same rate for a rate and its negative", () => {
    const model = smallModel("memory-mosaic", { blocks: 1 });
    const [tokens, targets] = [randomTokens(2, 6), randomTokens(2, 6, 3)];
    const name = "blocks.0.attn.leaky_key_beta";
    set(model, name, [0.05, 0.2]);
    const positive = lossAndGradient(model, name, tokens, targets);
    set(model, name, [-0.05, 0.2]);
    const negative = lossAndGradient(model, name, tokens, targets);
    expect(negative.loss).toBe(positive.loss);
    expect(negative.gradient[0]).toBeCloseTo(-positive.gradient[0]!, 6);
    expect(negative.gradient[1]).toBeCloseTo(positive.gradient[1]!, 6);
    model.dispose();
  });

  it("cuts the key scale at e^5, above which its gradient is zero", () => {
    const model = smallModel("memory-mosaic", { blocks: 1 });
    const [tokens, targets] = [randomTokens(2, 6), randomTokens(2, 6, 3)];
    const name = "blocks.0.pmem.kernel_beta";
    set(model, name, [0.51, 0.2]);
    const above = lossAndGradient(model, name, tokens, targets);
    set(model, name, [7, 0.2]);
    expect(lossAndGradient(model, name, tokens, targets)).toEqual(above);
    expect(Math.abs(above.gradient[0]!)).toBe(0); // either sign of zero
    expect(above.gradient[1]).not.toBe(0);
    model.dispose();
  });
});

describe("tied weights", () => {
  it("get the sum of the gradients of both uses", () => {
    const tied = smallModel("memory-mosaic");
    const untied = smallModel("memory-mosaic", { tieWeights: false });
    for (const [name, variable] of Object.entries(untied.variables()))
      variable.assign(tied.variables()[name === "head.weight" ? "emb.weight" : name]!);
    const [tokens, targets] = [randomTokens(2, 6), randomTokens(2, 6, 3)];
    const both = lossAndGradient(tied, "emb.weight", tokens, targets);
    const input = lossAndGradient(untied, "emb.weight", tokens, targets);
    const output = lossAndGradient(untied, "head.weight", tokens, targets);
    expect(input.loss).toBeCloseTo(both.loss, 5);
    for (const [i, gradient] of both.gradient.entries())
      expect(gradient).toBeCloseTo(input.gradient[i]! + output.gradient[i]!, 5);
    tied.dispose();
    untied.dispose();
  });
});

describe("skipped tokens", () => {
  it("give no scores and no loss, but are seen by the rest", () => {
    const whole = smallModel("memory-mosaic");
    const skipping = smallModel("memory-mosaic", { skipTokens: 2 });
    const [tokens, targets] = [randomTokens(2, 6), randomTokens(2, 6, 3)];
    tf.tidy(() => {
      const scores = skipping.logits(tokens);
      expect(scores.shape).toEqual([2, 4, 11]);
      expect(scores.dataSync()).toEqual(whole.logits(tokens).slice([0, 2]).dataSync());
      const mean = whole.tokenLosses(tokens, targets).slice([0, 2]).mean().dataSync()[0]!;
      expect(skipping.loss(tokens, targets, inference).dataSync()[0]!).toBeCloseTo(mean, 5);
      expect(skipping.nextLogits(tokens).dataSync()).toEqual(whole.nextLogits(tokens).dataSync());
    });
    whole.dispose();
    skipping.dispose();
  });
});

describe("dropout", () => {
  const none = { contextualDropout: 0, persistentDropout: 0, residualDropout: 0 };
  const losses = (settings: Partial<typeof none>) => {
    const model = smallModel("memory-mosaic", { ...none, ...settings });
    const [tokens, targets] = [randomTokens(2, 8), randomTokens(2, 8, 3)];
    const dropout = Rng.fromSeed(4);
    const read = (training: Parameters<LanguageModel["loss"]>[2]) =>
      tf.tidy(() => model.loss(tokens, targets, training).dataSync()[0]!);
    const pair = { training: read({ training: true, dropout }), inference: read(inference) };
    model.dispose();
    return pair;
  };

  it("does nothing at rate 0", () => {
    const { training, inference } = losses({});
    expect(training).toBe(inference);
  });

  it.each(["contextualDropout", "persistentDropout", "residualDropout"] as const)(
    "%s acts in training, and there alone",
    (name) => {
      const { training, inference } = losses({ [name]: 0.5 });
      expect(training).not.toBe(inference);
      expect(inference).toBe(losses({}).inference);
    },
  );

  it("is by default that of the authors' training script: none in the contextual read", () => {
    expect(smallConfig("memory-mosaic")).toMatchObject({
      contextualDropout: 0,
      persistentDropout: 0.05,
      residualDropout: 0.05,
    });
  });

  it("drops read weights without renormalising, so that reads keep their mean", () => {
    const model = smallModel("memory-mosaic", { ...none, contextualDropout: 0.5, blocks: 1 });
    const tokens = randomTokens(1, 8);
    const read = (mode: Parameters<LanguageModel["logits"]>[1]) => {
      let values: Float32Array | undefined;
      const take = (_: string, value: tf.Tensor) => {
        values = value.dataSync() as Float32Array;
      };
      const probe = { wants: (name: string) => name === "blocks.0.attn.read", take };
      tf.dispose(model.logits(tokens, { ...mode!, probe }));
      return values!;
    };
    const expected = read(inference);
    const passes = 500;
    const mean = new Float64Array(expected.length);
    for (let pass = 0; pass < passes; pass++)
      for (const [i, value] of read({ training: true, dropout: Rng.fromSeed(6).fork(pass) }).entries())
        mean[i]! += value / passes;
    // A kept weight counts double: a read deviates by at most the length of a value (0.61), its mean by five times 0.61/√n.
    for (const [i, value] of expected.entries())
      expect(Math.abs(mean[i]! - value)).toBeLessThan((5 * 0.61) / Math.sqrt(passes));
    model.dispose();
  });
});

describe("an ablation", () => {
  const tokens = () => randomTokens(2, 8);
  const logits = (model: LanguageModel) => tf.tidy(() => model.logits(tokens()).dataSync());

  it("without peek equals a coefficient of 1", () => {
    const ablated = smallModel("memory-mosaic", { peek: false });
    const full = smallModel("memory-mosaic");
    share(full, ablated);
    for (const block of [0, 1]) set(full, `blocks.${block}.attn.v_featurizer.coef`, [1, 1]);
    expect(logits(ablated)).toEqual(logits(full));
    expect(Object.keys(ablated.variables()).filter((name) => name.includes("coef"))).toEqual([]);
    ablated.dispose();
    full.dispose();
  });

  it("without leaky average equals forgetting at once", () => {
    const ablated = smallModel("memory-mosaic", { leakyAverage: false });
    const full = smallModel("memory-mosaic");
    share(full, ablated);
    for (const memory of ["blocks.0.attn", "blocks.0.pmem", "blocks.1.attn", "blocks.1.pmem"])
      set(full, `${memory}.leaky_key_beta`, [100, 100]);
    expect(logits(ablated)).toEqual(logits(full));
    ablated.dispose();
    full.dispose();
  });

  it("without key norm scales the averaged features themselves", () => {
    const model = smallModel("memory-mosaic", { keyNorm: false });
    const inner = inspect(model, tokens(), (name) => /^blocks\.0\.attn\.keys(\.leaky)?$/.test(name));
    const leaky = inner["blocks.0.attn.keys.leaky"]!.dataSync();
    for (const [i, key] of inner["blocks.0.attn.keys"]!.dataSync().entries())
      expect(key).toBeCloseTo(leaky[i]! * Math.E, 5);
    tf.dispose(inner);
    model.dispose();
  });

  it("with attention or an MLP has GPT-2's parts in their place", () => {
    const ablated = createModel(
      smallConfig("memory-mosaic", { contextualRead: "attention", persistentRead: "mlp" }),
      Rng.fromSeed(1),
    );
    const names = Object.keys(ablated.variables()).filter((name) => name.startsWith("blocks.0"));
    expect(names).toEqual([
      "blocks.0.ln1.weight",
      "blocks.0.attn.c_attn.weight",
      "blocks.0.attn.c_proj.weight",
      "blocks.0.ln2.weight",
      "blocks.0.mlp.c_fc.weight",
      "blocks.0.mlp.c_proj.weight",
    ]);
    ablated.dispose();
  });
});

describe("the configuration", () => {
  const parse = (settings: object) => ModelConfig.safeParse({ kind: "memory-mosaic", ...settings });

  it("is by default the paper's block", () => {
    expect(parse({}).data).toMatchObject({ vocabulary: 50304, width: 768, heads: 12, slots: 2688, contextLength: 512 });
  });
  it("gives a block as many slots as make it as large as GPT-2's", () => {
    expect((parse({ width: 128, heads: 8 }).data as MemoryMosaicConfig).slots).toBe(448);
    expect((parse({ width: 128, heads: 8, slots: 10 }).data as MemoryMosaicConfig).slots).toBe(10);
  });
  it("is unchanged by being parsed again", () => {
    const once = parse({ width: 128, heads: 8 }).data!;
    expect(ModelConfig.parse(JSON.parse(JSON.stringify(once)))).toEqual(once);
  });
  it("refuses what no model can have", () => {
    expect(parse({ width: 100, heads: 12 }).error?.issues[0]?.message).toMatch("expected a divisor of the width 100");
    expect(parse({ skipTokens: 512 }).error?.issues[0]?.path).toEqual(["skipTokens"]);
    expect(parse({ layers: 3 }).success).toBe(false);
    expect(parse({ residualDropout: 1 }).success).toBe(false);
    expect(ModelConfig.safeParse({ kind: "memory" }).success).toBe(false);
  });
});
