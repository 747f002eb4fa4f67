import * as ops from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";

const rng = Rng.fromSeed(3);
/** Random numbers that depend on the name and the shape alone. */
export const normal = <S extends tf.Tensor>(name: string, shape: number[], deviation = 1): S =>
  tf.tensor(rng.fork(name).normals(tf.util.sizeFromShape(shape), deviation), shape) as S;
const key = [7, 9] as const;

/** One pass through all functions, forward and backward, at sizes that occupy several tasks: every number of it. */
export function everything({ batch = 3, time = 150 } = {}): Float32Array[] {
  return tf.tidy(() => {
    const [heads, depth, slots, vocabulary] = [4, 20, 70, 300];
    const width = heads * depth;
    const tokens = tf.tensor(
      Int32Array.from({ length: batch * time }, (_, i) => (i * 37) % vocabulary),
      [batch, time],
      "int32",
    );
    const dropout = { rate: 0.1, key };
    const weights = {
      table: normal<tf.Tensor2D>("table", [vocabulary, width]),
      gain: normal<tf.Tensor1D>("gain", [width]),
      linear: normal<tf.Tensor2D>("linear", [width, width], 0.1),
      bias: normal<tf.Tensor1D>("bias", [width]),
      rate: normal<tf.Tensor1D>("rate", [heads]).abs() as tf.Tensor1D,
      scale: normal<tf.Tensor1D>("scale", [heads]),
      mix: normal<tf.Tensor1D>("mix", [heads]),
      slotKeys: normal<tf.Tensor4D>("slotKeys", [1, heads, slots, depth]),
      slotValues: normal<tf.Tensor4D>("slotValues", [1, heads, slots, depth]),
    };
    const loss = (...given: tf.Tensor[]) => {
      const w = Object.fromEntries(Object.keys(weights).map((name, i) => [name, given[i]])) as typeof weights;
      const x = ops.layerNorm(ops.embedding(w.table, tokens) as tf.Tensor3D, w.gain, w.bias);
      const keys = ops.leakyKeys(ops.linear(x, w.linear, w.bias), w.rate, w.scale);
      const values = ops.peekValues(ops.leakyAverage(x, w.rate), w.mix, w.scale, 1);
      const read = ops.contextualRead(keys, values, { heads, shift: 1, dropout });
      const y = ops.dropoutAdd(
        x,
        ops.scaleHeads(ops.persistentRead(ops.gelu(read), w.slotKeys, w.slotValues, { dropout }), w.scale),
        dropout,
      );
      const states = ops.linearRecurrence(w.gain.sigmoid() as tf.Tensor1D, y);
      return ops.linearCrossEntropy(states.reshape([batch * time, width]), w.table, tokens.reshape([batch * time]), {
        scale: 0.2,
      });
    };
    const { value, grads } = tf.valueAndGrads(loss)(Object.values(weights));
    return [value, ...grads].map((tensor) => Float32Array.from(tensor.dataSync()));
  });
}

/** Norm of the difference of each tensor of two passes, relative to its norm. */
export function differences(expected: readonly Float32Array[], found: readonly Float32Array[]): number[] {
  return expected.map((values, i) => {
    const [error, size] = values.reduce(
      ([e, s], value, j) => [e + (value - found[i]![j]!) ** 2, s + value ** 2],
      [0, 1e-20],
    );
    return Math.sqrt(error / size);
  });
}
