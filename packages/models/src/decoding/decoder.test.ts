import { describe, expect, it } from "@jest/globals";
import {
  availableBackends,
  packWeights,
  selectBackend,
  unpackWeights,
  WEIGHT_FORMATS,
  type WeightFormat,
} from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import type { LanguageModel } from "../model.js";
import { smallConfig, smallModel, variants } from "../testing/small-models.js";
import { createModel, type ModelConfig } from "../zoo.js";
import type { Decoder, DecoderState } from "./decoder.js";
import { recomputingDecoder } from "./recomputing.js";
import { createDecoder, decoders } from "./registry.js";
import { GrowingText, readOn } from "./text.js";
import { DECODING_FORMATS } from "./weights.js";

/** Logits of small models are of the order of 1. */
const DIGITS = 4;

function randomText(length: number, seed: number): number[] {
  const rng = Rng.fromSeed(seed);
  return Array.from({ length }, () => rng.integer(0, 11));
}

function rows(logits: tf.Tensor2D): number[][] {
  const values = logits.arraySync();
  logits.dispose();
  return values;
}

function expectClose(actual: number[], expected: number[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of actual.entries()) expect(value).toBeCloseTo(expected[i]!, DIGITS);
}

/** The scores that follow the text, by the model itself. */
function recomputed(model: LanguageModel, text: readonly number[]): number[] {
  return tf.tidy(() => Array.from(model.nextLogits(tf.tensor2d([...text], [1, text.length], "int32")).dataSync()));
}

function readPart(decoder: Decoder, state: DecoderState, tokens: readonly number[]): number[] {
  return rows(decoder.read([{ state, tokens }]))[0]!;
}

const backends = (await availableBackends()).filter(({ name, available }) => available && name !== "webgpu");

describe.each(backends.map(({ name }) => name))("on %s", (backend) => {
  describe.each(Object.entries(variants).filter(([, config]) => config().kind in decoders))("%s", (_, config) => {
    it("gives the logits of the whole text at every token, however the text is cut", async () => {
      await selectBackend(backend);
      const model = createModel(config(), Rng.fromSeed(1).fork("init"));
      const decoder = createDecoder(model);
      const text = randomText(12, 2);
      const expected = tf.tidy(() => {
        const logits = model.logits(tf.tensor2d(text, [1, 12], "int32"));
        return tf.squeeze<tf.Tensor2D>(logits, [0]).arraySync();
      });
      for (const cuts of [Array(12).fill(1), [5, 1, 1, 3, 2], [12]] as number[][]) {
        const state = decoder.begin();
        let at = 0;
        for (const count of cuts) {
          const logits = readPart(decoder, state, text.slice(at, at + count));
          at += count;
          expectClose(logits, expected[at - 1]!);
        }
        expect(state.length).toBe(12);
        state.dispose();
      }
      decoder.dispose();
      model.dispose();
    });
  });
});

describe.each(Object.keys(decoders) as Parameters<typeof smallModel>[0][])("the decoder of %s", (kind) => {
  it("reads texts of different lengths at once as it reads them alone, joining and leaving as they like", async () => {
    await selectBackend("wasm");
    const model = smallModel(kind);
    const decoder = createDecoder(model);
    const texts = [randomText(3, 1), randomText(7, 2), randomText(1, 3)];
    const states = texts.map(() => decoder.begin());
    const first = rows(decoder.read(texts.map((tokens, i) => ({ state: states[i]!, tokens }))));
    for (const [i, text] of texts.entries()) expectClose(first[i]!, recomputed(model, text));
    // The second rests, a fourth joins.
    const late = decoder.begin();
    const next = rows(
      decoder.read([
        { state: states[0]!, tokens: [4] },
        { state: states[2]!, tokens: [5, 6] },
        { state: late, tokens: [7, 8] },
      ]),
    );
    for (const [i, text] of [
      [...texts[0]!, 4],
      [...texts[2]!, 5, 6],
      [7, 8],
    ].entries())
      expectClose(next[i]!, recomputed(model, text));
    for (const state of [...states, late]) state.dispose();
    decoder.dispose();
    model.dispose();
  });

  it("gives the scores after every token when asked", async () => {
    await selectBackend("wasm");
    const model = smallModel(kind);
    const [fast, slow] = [createDecoder(model), recomputingDecoder(model)];
    const [one, two] = [randomText(6, 4), randomText(4, 5)];
    const all = (decoder: Decoder) => {
      const states = [decoder.begin(), decoder.begin()];
      const parts = [
        rows(decoder.readAll([{ state: states[0]!, tokens: one.slice(0, 2) }])),
        rows(decoder.readAll([one.slice(2), two].map((tokens, i) => ({ state: states[i]!, tokens })))),
      ];
      for (const state of states) state.dispose();
      return parts.flat();
    };
    const expected = all(slow);
    const actual = all(fast);
    expect(actual).toHaveLength(10);
    for (const [i, row] of actual.entries()) expectClose(row, expected[i]!);
    fast.dispose();
    model.dispose();
  });

  it("forks: both copies go on independently", async () => {
    await selectBackend("wasm");
    const model = smallModel(kind);
    const decoder = createDecoder(model);
    const text = randomText(5, 6);
    const state = decoder.begin();
    readPart(decoder, state, text);
    const copy = state.fork();
    expectClose(readPart(decoder, state, [1]), recomputed(model, [...text, 1]));
    expectClose(readPart(decoder, copy, [2]), recomputed(model, [...text, 2]));
    expectClose(readPart(decoder, state, [3]), recomputed(model, [...text, 1, 3]));
    state.dispose();
    expectClose(readPart(decoder, copy, [4]), recomputed(model, [...text, 2, 4]));
    copy.dispose();
    decoder.dispose();
    model.dispose();
  });

  it("frees all that it takes", async () => {
    await selectBackend("wasm");
    const model = smallModel(kind);
    const before = [tf.memory().numTensors, tf.backend().numDataIds()];
    const decoder = createDecoder(model);
    const text = new GrowingText(decoder, randomText(9, 7), "stream");
    for (let token = 0; token < 140; token++) {
      readOn(decoder, [text]).dispose();
      text.tokens.push(token % 11);
    }
    text.fork().dispose();
    text.dispose();
    decoder.dispose();
    expect([tf.memory().numTensors, tf.backend().numDataIds()]).toEqual(before);
    model.dispose();
  });

  it("refuses an empty turn", () => {
    const model = smallModel(kind);
    const decoder = createDecoder(model);
    expect(() => decoder.read([{ state: decoder.begin(), tokens: [] }])).toThrow("at least one token");
    decoder.dispose();
    model.dispose();
  });
});

describe("packed weights", () => {
  /** The model whose matrices have been packed and unpacked; biases, norms, embedding and per-head numbers stay. */
  function rounded(model: LanguageModel, format: WeightFormat): LanguageModel {
    const copy = createModel(model.config as ModelConfig, Rng.fromSeed(0));
    const isMatrix = /(weight|M_[kv]\d)$/;
    for (const [name, variable] of Object.entries(model.variables())) {
      tf.tidy(() => {
        const width = variable.shape.at(-1)!;
        const kept = variable.rank < 2 || !isMatrix.test(name) || /wpe/.test(name);
        const matrix = tf.reshape<tf.Rank.R2>(variable, [
          -1,
          variable.rank === 3 ? variable.size / variable.shape[0]! : width,
        ]);
        const packed = kept ? variable : unpackWeights(packWeights(matrix, format));
        copy.variables()[name]!.assign(tf.reshape(packed, variable.shape));
      });
    }
    return copy;
  }

  it.each(
    [
      ["a Memory Mosaic", smallConfig("memory-mosaic", { bias: true, tieWeights: false, persistentBanks: 2 })],
      [
        "a Memory Mosaic with attention and an MLP",
        smallConfig("memory-mosaic", { contextualRead: "attention", persistentRead: "mlp", tieWeights: false }),
      ],
    ].flatMap(([name, config]) =>
      WEIGHT_FORMATS.map((format) => [name, format, config] as [string, WeightFormat, ModelConfig]),
    ),
  )("of %s in %s give the scores of the model with rounded matrices", async (_name, format, config) => {
    await selectBackend("cpu");
    const model = createModel(config, Rng.fromSeed(1).fork("init"));
    const copy = rounded(model, format);
    // The embedding stays as it is: only what is read whole for every token is packed.
    copy.variables()["emb.weight"]!.assign(model.variables()["emb.weight"]!);
    const decoder = createDecoder(model, format);
    const text = randomText(9, 3);
    const state = decoder.begin();
    expectClose(readPart(decoder, state, text.slice(0, 8)), recomputed(copy, text.slice(0, 8)));
    expectClose(readPart(decoder, state, text.slice(8)), recomputed(copy, text));
    state.dispose();
    decoder.dispose();
    for (const each of [model, copy]) each.dispose();
  });

  it.each(DECODING_FORMATS)("as %s are freed with the decoder", async (format) => {
    await selectBackend("cpu");
    const model = smallModel("memory-mosaic", { keyKernel: 2 });
    const before = tf.memory().numTensors;
    createDecoder(model, format).dispose();
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  it("are refused where the decoder computes everything anew", async () => {
    await selectBackend("cpu");
    const model = smallModel("lstm");
    expect(() => createDecoder(model, "int8")).toThrow(
      "Expected a model whose decoder keeps weights as int8, but a lstm has none.",
    );
    model.dispose();
  });
});

describe("a text longer than the trained context", () => {
  it.each(["memory-mosaic", "memory-mosaic-v2", "gpt2", "transformer"] as const)(
    "of %s is cropped as the authors do",
    async (kind) => {
      await selectBackend("wasm");
      const model = smallModel(kind);
      const decoder = createDecoder(model);
      const text = new GrowingText(decoder, randomText(10, 8));
      for (const token of randomText(8, 9)) {
        const [logits] = rows(readOn(decoder, [text]));
        expectClose(logits!, recomputed(model, text.tokens.slice(-12)));
        text.tokens.push(token);
      }
      text.dispose();
      decoder.dispose();
      model.dispose();
    },
  );

  it("streams through a Memory Mosaic like through one of a longer context, up to how far it looks back", async () => {
    await selectBackend("wasm");
    const model = smallModel("memory-mosaic");
    const longer = createModel(smallConfig("memory-mosaic", { contextLength: 300 }), Rng.fromSeed(1).fork("init"));
    const decoder = createDecoder(model);
    const text = new GrowingText(decoder, randomText(12, 10), "stream");
    const [within] = rows(readOn(decoder, [text]));
    expectClose(within!, recomputed(longer, text.tokens));
    text.tokens.push(...randomText(200, 11));
    const [beyond] = rows(readOn(decoder, [text]));
    const whole = new GrowingText(decoder, text.tokens, "stream");
    expectClose(rows(readOn(decoder, [whole]))[0]!, beyond!);
    // Farther pairs are out of reach, so this is not what an unbounded memory would say.
    const unbounded = recomputed(longer, text.tokens);
    expect(Math.max(...beyond!.map((value, i) => Math.abs(value - unbounded[i]!)))).toBeGreaterThan(1e-3);
    for (const each of [text, whole]) each.dispose();
    decoder.dispose();
    for (const each of [model, longer]) each.dispose();
  });

  it("streams through a Memory Mosaic v2 as through one of a longer context, however long", async () => {
    await selectBackend("wasm");
    const model = smallModel("memory-mosaic-v2");
    const longer = createModel(smallConfig("memory-mosaic-v2", { contextLength: 300 }), Rng.fromSeed(1).fork("init"));
    const decoder = createDecoder(model);
    const text = new GrowingText(decoder, randomText(150, 10), "stream");
    readOn(decoder, [text]).dispose();
    text.tokens.push(...randomText(90, 11));
    expectClose(rows(readOn(decoder, [text]))[0]!, recomputed(longer, text.tokens));
    text.dispose();
    decoder.dispose();
    for (const each of [model, longer]) each.dispose();
  });

  it("streams through GPT-2 by starting again from the last half of its context", async () => {
    await selectBackend("wasm");
    const model = smallModel("gpt2");
    const decoder = createDecoder(model);
    const text = new GrowingText(decoder, randomText(12, 12), "stream");
    const lengths: number[] = [];
    for (const token of randomText(8, 13)) {
      const [logits] = rows(readOn(decoder, [text]));
      const seen = text.tokens.length === 12 ? 12 : text.tokens.length - 7;
      lengths.push(seen);
      expectClose(logits!, recomputed(model, text.tokens.slice(-seen)));
      text.tokens.push(token);
    }
    expect(lengths).toEqual([12, 6, 7, 8, 9, 10, 11, 12]);
    text.dispose();
    decoder.dispose();
    model.dispose();
  });
});
