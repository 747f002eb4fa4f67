import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import { isUserError, Rng, type UserError } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { inference, type LanguageModel } from "../model.js";
import { inPython, withPython } from "../testing/python.js";
import { type OnnxFile, readOnnx, runOnnx } from "../testing/run-onnx.js";
import { randomTokens, smallConfig, smallModel, variants } from "../testing/small-models.js";
import { createModel } from "../zoo.js";
import { exportOnnx, onnxGraphs } from "./export-onnx.js";
import { Message } from "./protobuf.js";

beforeAll(async () => {
  await selectBackend("cpu");
});
const folder = mkdtempSync(join(tmpdir(), "onnx-"));
afterAll(() => rmSync(folder, { recursive: true }));

const exported = Object.entries({
  ...variants,
  "a Memory Mosaic that skips two tokens": () => smallConfig("memory-mosaic", { skipTokens: 2 }),
  "a Memory Mosaic with everything else": () =>
    smallConfig("memory-mosaic", { bias: true, preNorm: false, peekShift: 3, keyKernel: 2, persistentBanks: 3 }),
}).filter(([, config]) => config().kind in onnxGraphs);

function modelOf(config: () => ReturnType<typeof smallConfig>): LanguageModel {
  return createModel(config(), Rng.fromSeed(7).fork("init"));
}

function written(model: LanguageModel, name: string): { path: string; file: OnnxFile } {
  const path = join(folder, `${name.replace(/\W+/g, "-")}.onnx`);
  exportOnnx(model, path, { "mm.run": name });
  return { path, file: readOnnx(path) };
}

/** Two texts at once, one alone, and one shorter than any peek. */
const SIZES = [
  [2, 9],
  [1, 12],
  [3, 4],
] as const;

describe("a model written as ONNX", () => {
  it.each(exported)("computes what %s computes", (name, config) => {
    const model = modelOf(config);
    const { file } = written(model, name);
    for (const [batch, time] of SIZES) {
      tf.tidy(() => {
        const tokens = randomTokens(batch, time, time);
        const expected = model.logits(tokens, inference);
        const computed = runOnnx(file, tokens);
        expect(computed.shape).toEqual(expected.shape);
        expect(tf.max(tf.abs(tf.sub(computed, expected))).dataSync()[0]!).toBeLessThan(1e-4);
      });
    }
    model.dispose();
  });

  it("holds the authors' names, each weight once, as it is", () => {
    const model = smallModel("memory-mosaic", { bias: true, keyKernel: 3 });
    const { file } = written(model, "names");
    const stored = Object.keys(file.tensors).filter((name) => !name.startsWith("constant_"));
    expect(stored.sort()).toEqual(Object.keys(model.variables()).sort());
    for (const [name, variable] of Object.entries(model.variables())) {
      expect(file.tensors[name]).toEqual({ shape: variable.shape, data: variable.dataSync() });
    }
    expect(JSON.parse(file.metadata["mm.config"]!)).toEqual(model.config);
    expect(file.metadata["mm.run"]).toBe("names");
    model.dispose();
  });

  it.each(exported)("is a graph in order: every node of %s uses what was there before", (name, config) => {
    const model = modelOf(config);
    const { file } = written(model, name);
    const known = new Set(["", ...file.inputs, ...Object.keys(file.tensors)]);
    for (const { inputs, output } of file.nodes) {
      for (const input of inputs) expect(known).toContain(input);
      expect(known).not.toContain(output);
      known.add(output);
    }
    expect(file.inputs).toEqual(["tokens"]);
    expect(file.outputs).toEqual(["logits"]);
    expect(file.opset).toBe(17);
    model.dispose();
  });

  it("forgets at once where the rate is so high that nothing of the past remains", () => {
    const model = smallModel("memory-mosaic");
    for (const [name, variable] of Object.entries(model.variables()))
      if (name.endsWith("leaky_key_beta")) variable.assign(tf.fill(variable.shape, 1e6));
    const { file } = written(model, "forgetful");
    tf.tidy(() => {
      const tokens = randomTokens(1, 12);
      const error = tf.max(tf.abs(tf.sub(runOnnx(file, tokens), model.logits(tokens, inference))));
      expect(error.dataSync()[0]!).toBeLessThan(1e-4);
    });
    model.dispose();
  });

  it("is refused for other architectures, naming those that can", () => {
    const model = smallModel("lstm");
    let fault: unknown;
    try {
      exportOnnx(model, join(folder, "lstm.onnx"));
    } catch (error) {
      fault = error;
    }
    expect(isUserError(fault)).toBe(true);
    expect((fault as UserError).message).toBe(
      "Expected a memory-mosaic or a gpt2 to write as ONNX, but this is a lstm.",
    );
    expect(readdirSync(folder)).not.toContain("lstm.onnx");
    model.dispose();
  });

  const { test, because } = withPython("onnxruntime", "onnx", "safetensors.numpy");
  test(`gives the same logits in onnxruntime, and passes ONNX's own check${because}`, async () => {
    const { writeSafetensors } = await import("../safetensors.js");
    for (const [name, config] of exported) {
      const model = modelOf(config);
      const { path } = written(model, name);
      const expected = Object.fromEntries(
        SIZES.flatMap(([batch, time], i) => {
          const tokens = randomTokens(batch, time, time);
          const logits = model.logits(tokens, inference);
          return [
            [`tokens.${i}`, { shape: tokens.shape, data: tokens.dataSync() as Int32Array }],
            [`logits.${i}`, { shape: logits.shape, data: logits.dataSync() as Float32Array }],
          ];
        }),
      );
      writeSafetensors(`${path}.expected`, expected);
      model.dispose();
      const program = `
import sys, onnx, numpy as np, onnxruntime as ort
from safetensors.numpy import load_file
onnx.checker.check_model(sys.argv[1], full_check=True)
session, expected = ort.InferenceSession(sys.argv[1]), load_file(sys.argv[1] + ".expected")
print(max(float(np.abs(session.run(["logits"], {"tokens": expected[f"tokens.{i}"].astype(np.int64)})[0]
    - expected[f"logits.{i}"]).max()) for i in range(${SIZES.length})))`;
      expect(Number(inPython(program, path))).toBeLessThan(1e-4);
    }
  });
});

describe("protobuf", () => {
  it("writes the examples of its specification", () => {
    const bytes = (message: Message) => Buffer.concat(message.pieces).toString("hex");
    expect(bytes(new Message().integer(1, 150))).toBe("089601");
    expect(bytes(new Message().text(2, "testing"))).toBe("120774657374696e67");
    expect(bytes(new Message().message(3, new Message().integer(1, 150)))).toBe("1a03089601");
    expect(bytes(new Message().integer(1, -1))).toBe("08ffffffffffffffffff01");
    expect(bytes(new Message().float(5, 1.5))).toBe("2d0000c03f");
  });
});
