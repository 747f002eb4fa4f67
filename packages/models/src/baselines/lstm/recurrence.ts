/**
 * The recurrence of an LSTM, from a zero state:
 *
 *   z_t = u_t + W h_{t−1},   (i, f, g, o) = (σ, σ, tanh, σ)(z_t in four parts)
 *   c_t = f ∘ c_{t−1} + i ∘ g,   h_t = o ∘ tanh(c_t)
 *
 * It cannot be parallel in time, so each step is kept to as few operations as possible, and the gradient is written out:
 * all that does not depend on later steps is computed for the whole sequence at once.
 */
import { linear, withGradient } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";

/**
 * @param inputs u, [B, T, 4C]
 * @param weight W, [4C, C]
 * @returns h, [B, T, C]
 */
export function lstmStates(inputs: tf.Tensor3D, weight: tf.Tensor2D): tf.Tensor3D {
  return tf.tidy(() => {
    const [batch, time, wide] = inputs.shape;
    const steps = tf.transpose(inputs, [1, 0, 2]); // time first: a step is a contiguous part
    const states = withGradient<tf.Tensor3D>(
      [steps, weight],
      (save) => {
        const { sums, cells, hidden } = run(tf.unstack(steps), weight);
        save([sums, cells, hidden, weight]);
        return tf.clone(hidden);
      },
      (dy, [sums, cells, hidden, weight]) =>
        gradients(dy, sums as tf.Tensor3D, cells as tf.Tensor3D, hidden as tf.Tensor3D, weight as tf.Tensor2D),
    );
    return tf.transpose(states.reshape<tf.Tensor3D>([time, batch, wide / 4]), [1, 0, 2]);
  });
}

/** One step: z, then the four parts of it through their functions. */
function step(input: tf.Tensor2D, weight: tf.Tensor2D, hidden?: tf.Tensor2D, cell?: tf.Tensor2D) {
  const sum = hidden ? tf.add<tf.Tensor2D>(input, linear(hidden, weight)) : input;
  const [i, f, g, o] = tf.split(sum, 4, 1) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
  const written = tf.mul<tf.Tensor2D>(tf.sigmoid(i), tf.tanh(g));
  const next = cell ? tf.add<tf.Tensor2D>(tf.mul(tf.sigmoid(f), cell), written) : written;
  return { sum: hidden ? sum : tf.clone(sum), cell: next, hidden: tf.mul<tf.Tensor2D>(tf.sigmoid(o), tf.tanh(next)) };
}

/** z, c and h of all steps: [T, B, 4C], [T, B, C], [T, B, C]. */
function run(steps: tf.Tensor[], weight: tf.Tensor2D) {
  const made: ReturnType<typeof step>[] = [];
  for (const input of steps) {
    const before = made[made.length - 1];
    made.push(tf.tidy(() => step(input as tf.Tensor2D, weight, before?.hidden, before?.cell)));
  }
  return {
    sums: tf.stack(made.map(({ sum }) => sum)) as tf.Tensor3D,
    cells: tf.stack(made.map(({ cell }) => cell)) as tf.Tensor3D,
    hidden: tf.stack(made.map(({ hidden }) => hidden)) as tf.Tensor3D,
  };
}

/**
 * With δh_t = dy_t + δz_{t+1} W and δc_t = f_{t+1} δc_{t+1} + δh_t o (1 − tanh² c_t), each part of δz_t is δc_t or δh_t
 * times a factor known beforehand:
 *
 *   δi = δc · g i(1−i),   δf = δc · c_{t−1} f(1−f),   δg = δc · i (1−g²),   δo = δh · tanh(c_t) o(1−o)
 */
function gradients(
  dy: tf.Tensor3D,
  sums: tf.Tensor3D,
  cells: tf.Tensor3D,
  hidden: tf.Tensor3D,
  weight: tf.Tensor2D,
): [tf.Tensor, tf.Tensor] {
  const [time, batch, width] = hidden.shape;
  const [i, f, g, o] = tf.split(sums, 4, 2).map((part, at) => (at === 2 ? tf.tanh(part) : tf.sigmoid(part))) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const complement = (x: tf.Tensor) => tf.sub(1, x);
  const tanh = tf.tanh(cells);
  const earlier = delayed(cells);
  const factors = tf.unstack(
    tf.concat(
      [
        tf.mul(g, tf.mul(i, complement(i))),
        tf.mul(earlier, tf.mul(f, complement(f))),
        tf.mul(i, complement(tf.square(g))),
        tf.mul(tanh, tf.mul(o, complement(o))),
      ],
      2,
    ),
  );
  const towardsCell = tf.unstack(tf.mul(o, complement(tf.square(tanh))));
  const kept = tf.unstack(f);
  const dh = tf.unstack(dy);
  const dSums: tf.Tensor[] = new Array(time);
  let dCell: tf.Tensor | undefined;
  const backwards = tf.transpose(weight);
  for (let t = time - 1; t >= 0; t--) {
    const [dSum, cell]: [tf.Tensor, tf.Tensor] = tf.tidy(() => {
      const later = dSums[t + 1];
      const hiddenNow = later ? tf.add(dh[t]!, linear(later, backwards)) : dh[t]!;
      const here = tf.mul(hiddenNow, towardsCell[t]!);
      const cellNow = dCell ? tf.add(here, tf.mul(dCell, kept[t + 1]!)) : here;
      return [tf.mul(tf.concat([cellNow, cellNow, cellNow, hiddenNow], 1), factors[t]!), cellNow];
    });
    dCell?.dispose();
    dCell = cell;
    dSums[t] = dSum;
  }
  const dSteps = tf.stack(dSums);
  const flat = (x: tf.Tensor) => x.reshape<tf.Tensor2D>([time * batch, -1]);
  const before = tf.reshape(delayed(hidden), [time * batch, width]);
  return [dSteps, tf.matMul(flat(dSteps), before as tf.Tensor2D, true)];
}

/** The same one step later, zero at first: [T, B, C]. */
function delayed(x: tf.Tensor3D): tf.Tensor3D {
  const [time] = x.shape;
  return tf.pad3d(tf.slice3d(x, [0, 0, 0], [time - 1, -1, -1]), [
    [1, 0],
    [0, 0],
    [0, 0],
  ]);
}

/** The definition, step by step, with the gradient of TF.js. */
export function lstmStatesPlain(inputs: tf.Tensor3D, weight: tf.Tensor2D): tf.Tensor3D {
  return tf.tidy(() => {
    const [batch, time, wide] = inputs.shape;
    let hidden: tf.Tensor2D = tf.zeros([batch, wide / 4]);
    let cell = hidden;
    const states = Array.from({ length: time }, (_, t) => {
      const input = tf.reshape(tf.slice3d(inputs, [0, t, 0], [-1, 1, -1]), [batch, wide]);
      const sum = tf.add(input, tf.matMul(hidden, weight, false, true));
      const [i, f, g, o] = tf.split(sum, 4, 1) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
      cell = tf.add(tf.mul(tf.sigmoid(f), cell), tf.mul(tf.sigmoid(i), tf.tanh(g)));
      hidden = tf.mul(tf.sigmoid(o), tf.tanh(cell));
      return hidden;
    });
    return tf.stack(states, 1) as tf.Tensor3D;
  });
}
