/**
 * The output layer and its loss in one: −log softmax(scale · x·Wᵀ)[target], over chunks of tokens, so that the logits
 * [tokens, vocabulary] are never stored whole. The gradients are computed in the forward pass, chunk by chunk.
 */
import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel, withGradient } from "./kernels.js";
import { expectIntegers, expectShapes } from "./shapes.js";

export interface LinearCrossEntropyOptions {
  /** Factor of the logits; 1 when not given. */
  scale?: number;
  /** Tokens with this target do not count; −1 when not given. */
  ignore?: number;
}

function check(operation: string, x: tf.Tensor2D, weight: tf.Tensor2D, targets: tf.Tensor1D): void {
  expectShapes(operation, { x: [x, ["N", "C"]], weight: [weight, ["V", "C"]], targets: [targets, ["N"]] });
  expectIntegers(operation, "targets", targets);
}

/**
 * @param x [N, C]
 * @param weight [V, C]
 * @param targets [N] int32
 * @returns the mean loss in nats over the targets that count; 0 when none does
 */
export function linearCrossEntropy(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  targets: tf.Tensor1D,
  options: LinearCrossEntropyOptions = {},
): tf.Scalar {
  check("linearCrossEntropy", x, weight, targets);
  const { scale = 1, ignore = -1 } = options;
  const gradients = tf.engine().state.gradientDepth > 0;
  if (!hasKernel("LinearCrossEntropy")) return inChunks(x, weight, targets, scale, ignore, gradients);
  return withGradient<tf.Scalar>(
    [x, weight],
    (save) => {
      const [loss, dx, dWeight] = runKernel("LinearCrossEntropy", { x, weight, targets }, { scale, ignore, gradients });
      if (gradients) save([dx!, dWeight!]);
      return loss as tf.Scalar;
    },
    (dy, [dx, dWeight]) => runKernel("LinearCrossEntropyGrad", { dx: dx!, dWeight: dWeight!, dy }, {}),
  );
}

/**
 * The loss of each token, without gradient.
 *
 * @returns [N] in nats; 0 where the target is ignored
 */
export function linearTokenLosses(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  targets: tf.Tensor1D,
  options: LinearCrossEntropyOptions = {},
): tf.Tensor1D {
  check("linearTokenLosses", x, weight, targets);
  const { scale = 1, ignore = -1 } = options;
  if (!hasKernel("LinearTokenLosses")) {
    return tf.tidy(() => {
      const counted = targets.notEqual(ignore).toFloat() as tf.Tensor1D;
      const parts = chunksOf(x, weight, targets, counted).map(
        (chunk) => chunkOf(chunk, weight, scale, undefined).losses,
      );
      return parts.length === 0 ? tf.zeros([0]) : tf.concat1d(parts);
    });
  }
  return runKernel("LinearTokenLosses", { x, weight, targets }, { scale, ignore })[0] as tf.Tensor1D;
}

/** Logits that one chunk of tokens may have: 16 MB of them. */
const CHUNK_LOGITS = 2 ** 22;

interface Chunk {
  x: tf.Tensor2D;
  targets: tf.Tensor1D;
  /** 1 where the target counts, 0 where it is ignored. */
  counted: tf.Tensor1D;
}

function chunksOf(x: tf.Tensor2D, weight: tf.Tensor2D, targets: tf.Tensor1D, counted: tf.Tensor1D): Chunk[] {
  const rows = Math.max(1, Math.floor(CHUNK_LOGITS / weight.shape[0]));
  return Array.from({ length: Math.ceil(x.shape[0] / rows) }, (_, chunk) => {
    const first = chunk * rows;
    const count = Math.min(rows, x.shape[0] - first);
    const part = (all: tf.Tensor1D) => all.slice(first, count);
    return { x: x.slice([first, 0], [count, -1]), targets: part(targets), counted: part(counted) };
  });
}

/**
 * The losses of a chunk and, given the number of targets that count, the gradients of its share of their mean. The
 * softmax minus the one-hot target never exists as such: the target's part is a row of the weight, and in the weight's
 * gradient a sum of rows of x by target.
 */
function chunkOf(
  { x, targets, counted }: Chunk,
  weight: tf.Tensor2D,
  scale: number,
  count: tf.Tensor | undefined,
): { losses: tf.Tensor1D; dx?: tf.Tensor2D; dWeight?: tf.Tensor2D } {
  return tf.tidy(() => {
    const vocabulary = weight.shape[0];
    const rows = targets.clipByValue(0, vocabulary - 1).toInt() as tf.Tensor1D;
    const targetRows = tf.gather(weight, rows);
    const logits = tf.matMul(x, weight, false, true).mul(scale);
    const top = logits.max(-1, true);
    const powers = logits.sub(top).exp();
    const sums = powers.sum(-1, true);
    const targetLogits = x.mul(targetRows).sum(-1).mul(scale);
    const losses = sums.log().add(top).squeeze([1]).sub(targetLogits).mul(counted) as tf.Tensor1D;
    if (count === undefined) return { losses };
    const share = counted.mul(scale).div(count).expandDims(1);
    const shared = powers.mul(share.div(sums)) as tf.Tensor2D; // share · softmax
    const dx = tf.matMul(shared, weight).sub(targetRows.mul(share)) as tf.Tensor2D;
    const own = tf.unsortedSegmentSum(x.mul(share), rows, vocabulary);
    return { losses, dx, dWeight: tf.matMul(shared, x, true, false).sub(own) as tf.Tensor2D };
  });
}

function inChunks(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  targets: tf.Tensor1D,
  scale: number,
  ignore: number,
  gradients: boolean,
): tf.Scalar {
  return withGradient<tf.Scalar>(
    [x, weight],
    (save) => {
      const counted = targets.notEqual(ignore).toFloat() as tf.Tensor1D;
      const count = tf.maximum(counted.sum(), 1);
      let loss: tf.Tensor = tf.scalar(0);
      let dWeight: tf.Tensor2D = tf.zeros(gradients ? weight.shape : [0, 0]);
      const dx: tf.Tensor2D[] = [];
      for (const chunk of chunksOf(x, weight, targets, counted)) {
        const part = chunkOf(chunk, weight, scale, gradients ? count : undefined);
        const [lossBefore, dWeightBefore] = [loss, dWeight];
        loss = loss.add(part.losses.sum());
        tf.dispose([lossBefore, part.losses]);
        if (!gradients) continue;
        dx.push(part.dx!);
        dWeight = dWeight.add(part.dWeight!);
        tf.dispose([dWeightBefore, part.dWeight!]);
      }
      if (gradients) save([dx.length === 0 ? tf.zerosLike(x) : tf.concat2d(dx, 0), dWeight]);
      return loss.div(count) as tf.Scalar;
    },
    (dy, [dx, dWeight]) => [dx!.mul(dy), dWeight!.mul(dy)],
  );
}

export function linearCrossEntropyPlain(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  targets: tf.Tensor1D,
  options: LinearCrossEntropyOptions = {},
): tf.Scalar {
  return tf.tidy(() => {
    const counted = targets.notEqual(options.ignore ?? -1).toFloat();
    const losses = linearTokenLossesPlain(x, weight, targets, options);
    return losses.sum().div(tf.maximum(counted.sum(), 1)) as tf.Scalar;
  });
}

export function linearTokenLossesPlain(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  targets: tf.Tensor1D,
  { scale = 1, ignore = -1 }: LinearCrossEntropyOptions = {},
): tf.Tensor1D {
  return tf.tidy(() => {
    const counted = targets.notEqual(ignore);
    const logProbabilities = tf.matMul(x, weight, false, true).mul(scale).logSoftmax(-1);
    const oneHot = targets
      .expandDims(1)
      .equal(tf.range(0, weight.shape[0], 1, "int32"))
      .toFloat(); // [N, V]
    return logProbabilities.mul(oneHot).sum(-1).neg().mul(counted.toFloat()) as tf.Tensor1D;
  });
}
