/**
 * The causal convolution of each channel with a kernel of its own, the heart of state-space models with constant
 * dynamics (S4D, H3) and of long filters (Hyena):
 *
 *   y_tc = Σ_{l ≤ t, l < L} kernel_cl u_{t−l,c}
 *
 * Kernels are as long as the sequence, or as short as four taps. Where the backend has no kernel of its own, long ones
 * are products with blocks of rows of the Toeplitz matrix, P rows at a time, so that only [C, P, T] of it ever exists.
 */
import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel, withGradient } from "./kernels.js";
import { expectShapes } from "./shapes.js";

/** Rows of the Toeplitz matrix in one product. */
const BLOCK = 64;
/** Kernels up to this length are cheaper one tap at a time. */
const FEW_TAPS = 8;

/**
 * @param u [B, T, C]
 * @param kernel [C, L]: tap l weighs the input l steps ago; L may differ from T
 * @returns [B, T, C]
 */
export function causalConvolution(u: tf.Tensor3D, kernel: tf.Tensor2D): tf.Tensor3D {
  expectShapes("causalConvolution", { u: [u, ["B", "T", "C"]], kernel: [kernel, ["C", "L"]] });
  const own = hasKernel("CausalConvolution");
  return withGradient<tf.Tensor3D>(
    [u, kernel],
    (save) => {
      save([u, kernel]);
      return own ? (runKernel("CausalConvolution", { u, kernel }, {})[0] as tf.Tensor3D) : convolve(u, kernel);
    },
    (dy, [u, kernel]) => {
      if (own) return runKernel("CausalConvolutionGrad", { u: u!, kernel: kernel!, dy }, {});
      // du_s = Σ_l kernel_l dy_{s+l}: the same convolution, backwards in time.
      const du = tf.reverse(convolve(tf.reverse(dy, 1), kernel as tf.Tensor2D), 1);
      return [du, kernelGradient(dy, u as tf.Tensor3D, kernel!.shape[1]!)];
    },
  );
}

/** Adds up the input as it was l steps ago, weighted by tap l. */
export function causalConvolutionPlain(u: tf.Tensor3D, kernel: tf.Tensor2D): tf.Tensor3D {
  return tf.tidy(() => {
    const [batch, time, channels] = u.shape;
    let sum: tf.Tensor3D | undefined;
    for (let lag = 0; lag < Math.min(kernel.shape[1], time); lag++) {
      const weighted = tf.mul(tf.slice(u, [0, 0, 0], [batch, time - lag, channels]), tap(kernel, lag));
      const late =
        lag === 0
          ? weighted
          : tf.pad(weighted, [
              [0, 0],
              [lag, 0],
              [0, 0],
            ]);
      sum = (sum === undefined ? late : tf.add(sum, late)) as tf.Tensor3D;
    }
    return sum!;
  });
}

function convolve(u: tf.Tensor3D, kernel: tf.Tensor2D): tf.Tensor3D {
  return tf.tidy(() => (kernel.shape[1] <= FEW_TAPS ? causalConvolutionPlain(u, kernel) : convolveBlocks(u, kernel)));
}

function kernelGradient(dy: tf.Tensor3D, u: tf.Tensor3D, taps: number): tf.Tensor2D {
  return tf.tidy(() => (taps <= FEW_TAPS ? tapGradients(dy, u, taps) : blockGradients(dy, u, taps)));
}

function tap(kernel: tf.Tensor2D, lag: number): tf.Tensor1D {
  return tf.reshape(tf.slice(kernel, [0, lag], [-1, 1]), [-1]);
}

/** Of tap l: Σ_{b,t} dy_t u_{t−l}. */
function tapGradients(dy: tf.Tensor3D, u: tf.Tensor3D, taps: number): tf.Tensor2D {
  const [, time, channels] = u.shape;
  const gradients = Array.from({ length: taps }, (_, lag) =>
    lag >= time
      ? tf.zeros([channels])
      : tf.sum(tf.mul(tf.slice(dy, [0, lag, 0]), tf.slice(u, [0, 0, 0], [-1, time - lag, -1])), [0, 1]),
  );
  return tf.stack(gradients, 1) as tf.Tensor2D;
}

/**
 * Which columns of the Toeplitz matrix meet a block of its rows: rows start … end−1 have taps for inputs low … end−1,
 * and the band [P, width], in which column width−P+p has lag 0 in row p, holds their lags from column `shift` on.
 */
interface RowBlock {
  readonly start: number;
  readonly end: number;
  readonly low: number;
  readonly shift: number;
}

function rowBlocks(time: number, taps: number): { blocks: RowBlock[]; width: number } {
  const count = Math.ceil(time / BLOCK);
  const width = Math.min(count * BLOCK, BLOCK + taps - 1);
  const blocks = Array.from({ length: count }, (_, index) => {
    const start = index * BLOCK;
    const low = Math.max(0, start - (width - BLOCK));
    return { start, end: Math.min(start + BLOCK, time), low, shift: width - BLOCK - (start - low) };
  });
  return { blocks, width };
}

function convolveBlocks(u: tf.Tensor3D, kernel: tf.Tensor2D): tf.Tensor3D {
  const { blocks, width } = rowBlocks(u.shape[1], kernel.shape[1]);
  const columns = tf.transpose(u, [2, 1, 0]); // [C, T, B]
  const band = gatherLags(kernel, BLOCK, width, (row, column) => width - BLOCK + row - column);
  const parts = blocks.map(({ start, end, low, shift }) =>
    tf.tidy(() => {
      const rows = tf.slice(band, [0, 0, shift], [-1, end - start, end - low]);
      return tf.matMul(rows, tf.slice(columns, [0, low, 0], [-1, end - low, -1])) as tf.Tensor3D; // [C, rows, B]
    }),
  );
  return tf.transpose(tf.concat(parts, 1), [2, 1, 0]);
}

/** The gradient of the band is added up over the blocks; that of a tap is the sum of the band's diagonal of its lag. */
function blockGradients(dy: tf.Tensor3D, u: tf.Tensor3D, taps: number): tf.Tensor2D {
  const { blocks, width } = rowBlocks(u.shape[1], taps);
  const [dColumns, columns] = [tf.transpose(dy, [2, 1, 0]), tf.transpose(u, [2, 1, 0])];
  let band: tf.Tensor3D | undefined;
  for (const { start, end, low, shift } of blocks) {
    const before = band;
    band = tf.tidy(() => {
      const above = tf.slice(dColumns, [0, start, 0], [-1, end - start, -1]);
      const product = tf.matMul(above, tf.slice(columns, [0, low, 0], [-1, end - low, -1]), false, true);
      const right = width - shift - (end - low);
      const placed = tf.pad(product, [
        [0, 0],
        [0, BLOCK - (end - start)],
        [shift, right],
      ]) as tf.Tensor3D;
      return before === undefined ? placed : tf.add(before, placed);
    });
    before?.dispose();
  }
  const sums = skewSums(tf.reverse(band!, 2)); // with columns reversed, entry p + j′ has lag p + j′ − (P − 1)
  const lags = tf.slice(sums, [0, BLOCK - 1], [-1, Math.min(taps, width)]);
  return tf.pad(lags, [
    [0, 0],
    [0, taps - lags.shape[1]!],
  ]) as tf.Tensor2D;
}

/**
 * Sums over p + j = m for every m: [C, P, J] → [C, P + J − 1]. Rows padded to P + J entries and read again as rows of one
 * entry less are each shifted by one more.
 */
function skewSums(x: tf.Tensor3D): tf.Tensor2D {
  const [channels, rows, columns] = x.shape;
  const length = rows + columns;
  const padded = tf.reshape(
    tf.pad(x, [
      [0, 0],
      [0, 0],
      [0, rows],
    ]),
    [channels, rows * length],
  );
  const skewed = tf.reshape(tf.slice(padded, [0, 0], [-1, rows * (length - 1)]), [channels, rows, length - 1]);
  return tf.sum(skewed, 1);
}

/** The matrix whose entries are the taps of the given lags, 0 where there is none: [C, rows, columns]. */
function gatherLags(
  kernel: tf.Tensor2D,
  rows: number,
  columns: number,
  lagOf: (row: number, column: number) => number,
): tf.Tensor3D {
  const [channels, taps] = kernel.shape;
  const indices = new Int32Array(rows * columns);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      const lag = lagOf(row, column);
      indices[at] = lag >= 0 && lag < taps ? lag : taps;
    }
  }
  const withZero = tf.pad(kernel, [
    [0, 0],
    [0, 1],
  ]);
  return tf.reshape(tf.gather(withZero, tf.tensor1d(indices, "int32"), 1), [channels, rows, columns]);
}
