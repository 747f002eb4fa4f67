/** The window shows what the model does: its numbers are those of the forward pass, and add up to its answer. */
import { beforeAll, describe, expect, it } from "@jest/globals";
import { selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import type { LanguageModel } from "../model.js";
import { smallConfig, smallModel, variants } from "../testing/small-models.js";
import { createModel, type ModelConfig } from "../zoo.js";
import { anatomyOf, isInspectable } from "./anatomy.js";
import { innerPass, readPassage, weightsAt } from "./passage.js";
import { headProposals, headVectors, logitShares, spreadAt, storedProposals } from "./proposals.js";
import { findSlotUses } from "./slot-uses.js";

const tokens = [3, 1, 4, 1, 5, 9, 2, 6];

beforeAll(async () => {
  await selectBackend("wasm");
});

/** With biases where there are any drawn at random, so that forgetting one would show. */
function lively(config: ModelConfig): LanguageModel {
  const model = createModel(config, Rng.fromSeed(5));
  for (const [name, variable] of Object.entries(model.variables()))
    if (/ln.*\.(weight|bias)$|\.bias$/.test(name)) {
      const drawn = Rng.fromSeed(6).fork(name).normals(variable.size, 0.5);
      tf.tidy(() => variable.assign(tf.add(variable, tf.tensor(drawn, variable.shape))));
    }
  return model;
}

const inspectable = Object.entries(variants)
  .map(([name, config]) => [name, config()] as const)
  .filter(([, { kind }]) => isInspectable(kind));
const additive = inspectable.filter(([, config]) => !("preNorm" in config) || config.preNorm);

describe.each(inspectable)("looking into %s", (_name, config) => {
  it("shows read weights that are distributions, and give what the head reads out", async () => {
    const model = lively(config);
    const passage = await readPassage(model, tokens);
    for (const reading of passage.branches) {
      const { branch, values, columns, projected } = reading;
      if (branch.kind === "mlp") continue;
      for (let head = 0; head < branch.heads; head++)
        for (let position = 0; position < tokens.length; position++) {
          for (let bank = 0; bank < reading.weights.length; bank++) {
            const sum = weightsAt(reading, tokens.length, { position, head, bank }).reduce((a, b) => a + b, 0);
            const nothing = branch.kind === "contextual" && position < ("peekShift" in config ? config.peekShift : 0);
            expect(sum).toBeCloseTo(nothing ? 0 : 1, 5);
          }
          if (values === undefined) continue;
          const weights = weightsAt(reading, tokens.length, { position, head });
          const features = columns / branch.heads;
          for (let feature = head * features; feature < (head + 1) * features; feature++) {
            const read = weights.reduce((sum, weight, j) => sum + weight * values[j * columns + feature]!, 0);
            expect(read).toBeCloseTo(projected[position * columns + feature]!, 5);
          }
        }
    }
    model.dispose();
  });

  it("gives the log-probabilities of the model's own scores", async () => {
    const model = lively(config);
    const passage = await readPassage(model, tokens);
    const targets = tf.tensor2d([[...tokens.slice(1), -1]], [1, tokens.length], "int32");
    const losses = model.tokenLosses(tf.tensor2d([tokens], undefined, "int32"), targets).dataSync();
    expect(passage.logProbabilities[0]).toBeUndefined();
    for (let position = 1; position < tokens.length; position++)
      expect(passage.logProbabilities[position]!).toBeCloseTo(-losses[position - 1]!, 4);
    for (const predictions of passage.predictions) {
      const chances = predictions.map(({ logProbability }) => logProbability);
      expect(chances).toEqual([...chances].sort((a, b) => b - a));
    }
    model.dispose();
  });

  it("leaves no tensor behind", async () => {
    const model = lively(config);
    const before = tf.memory().numTensors;
    const passage = await readPassage(model, tokens);
    await headProposals(model, passage, 3, { count: 2 });
    for (const reading of passage.branches)
      await storedProposals(
        model,
        passage,
        reading,
        { position: 3, head: 0, stored: [{ index: 1, bank: 0 }] },
        { count: 2 },
      );
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });
});

describe.each(additive)("the proposals in %s", (_name, config) => {
  it("add up to the model's scores: embedding, heads and biases", async () => {
    const model = lively(config);
    const passage = await readPassage(model, tokens);
    const { logits, inner } = innerPass(model, tokens, () => false);
    const anatomy = anatomyOf(model);
    const variables = model.variables();
    for (const position of [0, 4, 7]) {
      const sum = tf.tidy(() => {
        const spread = spreadAt(passage, position);
        const { width, embedding } = passage;
        const start = tf.tensor2d(embedding.slice(position * width, (position + 1) * width), [1, width]);
        const biases = anatomy.branches.flatMap(({ path }) => variables[`${path}.c_proj.bias`] ?? []);
        const parts = [
          start,
          headVectors(model, passage, position),
          ...biases.map((bias) => tf.reshape(bias, [1, width])),
        ];
        const shares = logitShares(model, tf.concat(parts as tf.Tensor2D[], 0), spread).sum(0);
        const shift = variables[`${anatomy.finalNorm}.bias`];
        if (shift === undefined) return shares.dataSync();
        const matrix = variables[anatomy.head] as tf.Tensor as tf.Tensor2D;
        const shifted = tf.matMul(tf.reshape(shift, [1, width]) as tf.Tensor2D, matrix, false, true);
        return shares.add(shifted.reshape([-1]).mul(anatomy.logitScale)).dataSync();
      });
      const scores = (logits.arraySync() as number[][][])[0]![position]!;
      for (const [token, score] of scores.entries()) expect(sum[token]!).toBeCloseTo(score, 4);
    }
    tf.dispose([logits, inner]);
    model.dispose();
  });

  it("of what is stored, weighted, are the head's own", async () => {
    const model = lively(config);
    const passage = await readPassage(model, tokens);
    const position = 5;
    const all = { count: model.config.vocabulary };
    const byHead = await headProposals(model, passage, position, all);
    for (const [at, reading] of passage.branches.entries())
      for (let head = 0; head < reading.branch.heads; head++) {
        const stored = reading.weights.flatMap((_, bank) =>
          Array.from({ length: reading.size }, (_, index) => ({ index, bank })),
        );
        const proposals = await storedProposals(model, passage, reading, { position, head, stored }, all);
        const sum = new Float64Array(model.config.vocabulary);
        for (const [thing, { index, bank }] of stored.entries()) {
          const weight = weightsAt(reading, tokens.length, { position, head, bank })[index]!;
          for (const { token, share } of proposals[thing]!) sum[token]! += weight * share;
        }
        for (const { token, share } of byHead[at]![head]!) expect(sum[token]!).toBeCloseTo(share, 4);
      }
    model.dispose();
  });
});

describe("the character of a head", () => {
  it("is λ, ln 2/λ and g² of its parameters", async () => {
    const model = smallModel("memory-mosaic", { blocks: 1 });
    const set = (name: string, values: number[]) =>
      tf.tidy(() => model.variables()[`blocks.0.${name}`]!.assign(tf.tensor1d(values)));
    set("attn.leaky_key_beta", [0.1, -0.2]);
    set("attn.kernel_beta", [0.1, 0.7]);
    set("pmem.leaky_key_beta", [0.05, 0.5]);
    set("pmem.kernel_beta", [0, 0.2]);
    const [contextual, persistent] = (await readPassage(model, tokens)).branches;
    const close = (found: number[], expected: number[]) =>
      found.forEach((value, i) => {
        expect(value / expected[i]!).toBeCloseTo(1, 5);
      });
    close(
      contextual!.characters.map(({ forgettingRate }) => forgettingRate),
      [1, 2],
    );
    close(
      contextual!.characters.map(({ halfLife }) => halfLife),
      [Math.LN2, Math.LN2 / 2],
    );
    // the exponent 7 is cut at 5
    close(
      contextual!.characters.map(({ bandwidth }) => bandwidth),
      [Math.exp(2), Math.exp(10)],
    );
    close(
      persistent!.characters.map(({ halfLife }) => halfLife),
      [2 * Math.LN2, Math.LN2 / 5],
    );
    close(
      persistent!.characters.map(({ bandwidth }) => bandwidth),
      [1, Math.exp(4)],
    );
    model.dispose();
  });
});

describe("slot uses", () => {
  it.each([
    ["a persistent memory", smallConfig("memory-mosaic", { persistentBanks: 2 })],
    ["an MLP", smallConfig("gpt2")],
  ])("of %s are the places of largest weight in the sample", async (_name, config) => {
    const model = lively(config);
    const texts = [tokens, [7, 7, 2], [1, 0, 8, 2, 8, 1]];
    const branch = 3;
    const uses = await findSlotUses(model, branch, texts, 4);
    const readings = [];
    for (const text of texts) readings.push((await readPassage(model, text)).branches[branch]!);
    const { heads } = readings[0]!.branch;
    for (let head = 0; head < heads; head++)
      for (let bank = 0; bank < readings[0]!.weights.length; bank++)
        for (let index = 0; index < readings[0]!.size; index++) {
          const everywhere = readings.flatMap((reading, text) =>
            texts[text]!.map(
              (_, position) => weightsAt(reading, texts[text]!.length, { position, head, bank })[index]!,
            ),
          );
          const largest = everywhere.sort((a, b) => b - a).slice(0, 4);
          const found = uses.of({ head, bank, index });
          expect(found.map(({ weight }) => weight)).toEqual(largest);
          for (const { text, position, weight } of found)
            expect(weightsAt(readings[text]!, texts[text]!.length, { position, head, bank })[index]).toBe(weight);
        }
    model.dispose();
  });
});

it("other models are refused by name", async () => {
  const model = smallModel("lstm");
  await expect(readPassage(model, tokens)).rejects.toThrow("found lstm");
  model.dispose();
});
