import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { modelFromTensors } from "../from-tensors.js";
import type { LanguageModel } from "../model.js";
import { readSafetensors, type SafetensorsTensor } from "../safetensors.js";
import { randomTokens, smallModel } from "../testing/small-models.js";
import { ModelConfig } from "../zoo.js";
import { importWeights } from "./import-weights.js";

beforeAll(async () => {
  await selectBackend("cpu");
});

type Named = Record<string, SafetensorsTensor>;

function stateDict(model: LanguageModel): Named {
  return Object.fromEntries(
    Object.entries(model.variables()).map(([name, variable]) => [
      name,
      { shape: variable.shape, data: variable.dataSync() as Float32Array },
    ]),
  );
}

/** As Hugging Face stores it: no prefix, Conv1D weights as (in, out), buffers of the mask. */
function asHuggingFace(tensors: Named): Named {
  const renamed: Named = { "h.0.attn.bias": { shape: [1, 1, 12, 12], data: new Float32Array(144).fill(1) } };
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    const own = name.replace("transformer.", "");
    if (!/c_(attn|proj|fc)\.weight$/.test(name)) renamed[own] = { shape, data };
    else {
      const turned = tf.tidy(() => tf.transpose(tf.tensor2d(data as Float32Array, shape as [number, number])));
      renamed[own] = { shape: turned.shape, data: turned.dataSync() as Float32Array };
    }
  }
  return renamed;
}

function expectSame(model: LanguageModel, tensors: Named, settings: object): void {
  const imported = importWeights(tensors, "a test");
  const copy = modelFromTensors(ModelConfig.parse({ ...imported.config, ...settings }), imported.tensors, "a test");
  const tokens = randomTokens(2, 7);
  tf.tidy(() => expect(copy.logits(tokens).dataSync()).toEqual(model.logits(tokens).dataSync()));
  copy.dispose();
  model.dispose();
}

describe("weights of other code", () => {
  it.each([true, false])("of nanoGPT make the same model (bias %s)", (bias) => {
    const model = smallModel("gpt2", { bias });
    const dict = stateDict(model);
    const wrapped = Object.entries(dict).map(([name, tensor]) => [`_orig_mod.${name}`, tensor]);
    const tied = { "_orig_mod.lm_head.weight": dict["transformer.wte.weight"]! };
    expectSame(model, { ...Object.fromEntries(wrapped), ...tied }, { heads: 2 });
  });

  it("of Hugging Face's GPT-2 are turned round, and the mask is left out", () => {
    const model = smallModel("gpt2", { bias: true });
    expectSame(model, asHuggingFace(stateDict(model)), { heads: 2 });
  });

  it.each([
    ["as the paper's", {}],
    [
      "with biases, two banks, a kernel of 3, untied",
      { bias: true, persistentBanks: 2, keyKernel: 3, tieWeights: false },
    ],
    ["of contextual memories only", { contextualOnly: true }],
  ])("of a Memory Mosaic %s tell its configuration", (_, settings) => {
    const model = smallModel("memory-mosaic", settings);
    const dict = stateDict(model);
    const head: Named = "tieWeights" in settings ? {} : { "head.weight": dict["emb.weight"]! };
    expectSame(model, { ...dict, ...head }, { contextLength: 12 });
  });

  /** Small random models with PyTorch's logits, written by fixtures/make.py. */
  const fixture = (name: string) =>
    readSafetensors(fileURLToPath(new URL(`fixtures/${name}.safetensors`, import.meta.url))).tensors;

  it.each([
    ["transformers' GPT2LMHeadModel.save_pretrained", "hugging-face-gpt2", "hugging-face"],
    ["a compiled nanoGPT without biases", "nano-gpt", "nano-gpt"],
  ])("of %s give PyTorch's logits", (_, file, logits) => {
    const { tokens, [logits]: expected } = fixture("expected");
    const imported = importWeights(fixture(file), file);
    expect(imported.config).toMatchObject({ kind: "gpt2", vocabulary: 13, width: 12, contextLength: 10, blocks: 2 });
    const config = ModelConfig.parse({ ...imported.config, heads: 3 });
    const model = modelFromTensors(config, imported.tensors, file);
    tf.tidy(() => {
      const ids = tf.tensor2d(tokens!.data as Int32Array, tokens!.shape as [number, number], "int32");
      const found = model.logits(ids).dataSync();
      expect(found).toHaveLength(2 * 9 * 13);
      for (const [i, value] of (expected!.data as Float32Array).entries())
        expect(Math.abs(found[i]! - value)).toBeLessThan(1e-4);
    });
    model.dispose();
  });

  it("of a GPT-2 with an output matrix of its own are refused, not read as if it were tied", () => {
    const model = smallModel("gpt2");
    const dict = stateDict(model);
    const { shape, data } = dict["transformer.wte.weight"]!;
    const untied = { ...dict, "lm_head.weight": { shape, data: (data as Float32Array).map((value) => 2 * value) } };
    expect(() => importWeights(untied, "a test")).toThrow("whose output matrix lm_head.weight is its token embedding");
    model.dispose();
  });

  it("of something else are refused by name", () => {
    expect(() => importWeights({ "layer.weight": { shape: [1], data: Float32Array.of(1) } }, "x.safetensors")).toThrow(
      "in x.safetensors but found layer.weight",
    );
  });
});
