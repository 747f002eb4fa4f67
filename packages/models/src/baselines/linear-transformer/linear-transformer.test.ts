import { beforeAll, describe, expect, it } from "@jest/globals";
import { dropout, selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { inference } from "../../model.js";
import { initialise } from "../../parameters.js";
import { Scope } from "../../scope.js";
import { LinearTransformerConfig } from "./config.js";
import { linearAttentionMixer } from "./model.js";

beforeAll(async () => {
  await selectBackend("wasm");
});

function mixerOf(rate: number) {
  const config = LinearTransformerConfig.parse({ kind: "linear-transformer", width: 4, dropout: rate });
  const variables = initialise(linearAttentionMixer.parameters(config), Rng.fromSeed(1));
  for (const variable of Object.values(variables)) tf.tidy(() => variable.assign(variable.mul(50)));
  return { variables, mixer: linearAttentionMixer.build(config, new Scope(variables, "")) };
}

const input = (time: number) => tf.tensor3d(Rng.fromSeed(2).uniforms(2 * time * 4, -1, 1), [2, time, 4]);

describe("linear attention", () => {
  it("gives the same in training, where all pairs are formed, as in evaluation, where a memory is read", () => {
    // So low a rate drops nothing, yet takes the way of training.
    const { mixer } = mixerOf(1e-9);
    const x = input(150);
    const [training, evaluation] = [{ training: true as const, dropout: Rng.fromSeed(3) }, inference].map((mode) =>
      tf.tidy(() => mixer.apply(x, mode).dataSync()),
    );
    const size = Math.max(...evaluation!.map(Math.abs));
    for (const [i, value] of evaluation!.entries()) expect(Math.abs(training![i]! - value) / size).toBeLessThan(3e-6);
  });

  it("drops single products of query and key, not whole tokens", () => {
    const { mixer, variables } = mixerOf(0.5);
    const x = input(5);
    const stream = Rng.fromSeed(3);
    const actual = tf.tidy(() => mixer.apply(x, { training: true, dropout: stream }).dataSync());
    const expected = tf.tidy(() => {
      const heads = (y: tf.Tensor) => tf.transpose(y.reshape([2, 5, 2, 2]), [0, 2, 1, 3]);
      const [q, k, v] = tf
        .split(
          tf.add(tf.matMul(x.reshape([10, 4]), variables["Wqkv.weight"]!, false, true), variables["Wqkv.bias"]!),
          3,
          1,
        )
        .map(heads);
      const products = tf.linalg.bandPart(tf.matMul(q!, k!, false, true).div(Math.SQRT2), -1, 0);
      const kept = dropout(products, { rate: 0.5, key: stream.fork("read").key });
      const read = tf.transpose(tf.matMul(kept, v!), [0, 2, 1, 3]).reshape<tf.Tensor2D>([10, 4]);
      const output = tf.matMul(read, variables["out_proj.weight"] as tf.Tensor as tf.Tensor2D, false, true);
      return tf.add(output, variables["out_proj.bias"]!).dataSync();
    });
    for (const [i, value] of expected.entries()) expect(actual[i]!).toBeCloseTo(value, 3);
  });
});
