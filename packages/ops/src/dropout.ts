/**
 * Dropout with a mask that is a pure function of a Philox key, so that every backend drops the same elements.
 *
 * A tensor is seen as rows × columns, columns being its last axis. Element (r, c) owns 16 random bits: of the four
 * words philox4x32-7(counter = [c >> 3, r, 0, 0], key), word (c >> 1) & 3, its low half for even c, its high half for
 * odd c. It is dropped iff those bits are < threshold = round(rate · 65536); kept elements are divided by
 * 1 − threshold/65536, which keeps the mean.
 */
import { type PhiloxKey, philox4x32 } from "@mm/run";
import * as tf from "@tensorflow/tfjs";
import { type DropoutAttributes, hasKernel, runKernel, withGradient } from "./kernels.js";
import { expectShapes, rowCount } from "./shapes.js";
import { DROPOUT_ROUNDS, type DropRow, dropRowIn } from "./webassembly/drop-row.js";

/** Drops elements at `rate` in [0, 1), as drawn from `key`. */
export interface Dropout {
  readonly rate: number;
  readonly key: PhiloxKey;
}

/** @throws Error when the rate is outside [0, 1) */
export function dropoutAttributes(dropout: Dropout | undefined): DropoutAttributes {
  if (dropout === undefined) return { dropoutThreshold: 0, dropoutKey: [0, 0] };
  const { rate, key } = dropout;
  if (!(rate >= 0 && rate < 1)) throw new Error(`dropout: expected a rate in [0, 1), found ${rate}`);
  const dropoutThreshold = Math.min(65535, Math.round(rate * 65536));
  return { dropoutThreshold, dropoutKey: [key[0], key[1]] };
}

/** Whether anything is dropped at all. */
export function drops(dropout: Dropout | undefined): dropout is Dropout {
  return dropoutAttributes(dropout).dropoutThreshold > 0;
}

/** The mask [rows, columns]: 0 where dropped, 1/(1 − threshold/65536) where kept. */
export function dropoutMask(rows: number, columns: number, dropout: Dropout): tf.Tensor2D {
  const { dropoutThreshold, dropoutKey } = dropoutAttributes(dropout);
  const mask = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    mask.set(dropoutMaskRow(row, columns, dropoutThreshold, dropoutKey), row * columns);
  }
  return tf.tensor2d(mask, [rows, columns]);
}

/** A memory of its own for `dropRow`: ones, and after them the mask. */
let memory: WebAssembly.Memory | undefined;
let dropRow: DropRow | undefined;

/** One row of a mask, valid until the next call. */
function dropoutMaskRow(row: number, columns: number, threshold: number, key: PhiloxKey): Float32Array {
  const groups = Math.ceil(columns / 32);
  memory ??= new WebAssembly.Memory({ initial: 1 });
  dropRow ??= dropRowIn(memory);
  if (dropRow === undefined || groups === 0) return dropoutMaskRowPlain(row, columns, threshold, key);
  const missing = Math.ceil((2 * groups * 128 - memory.buffer.byteLength) / 65536);
  if (missing > 0) memory.grow(missing);
  new Float32Array(memory.buffer, 0, groups * 32).fill(1);
  dropRow(groups * 128, 0, groups, row, threshold, 1 / (1 - threshold / 65536), key[0], key[1]);
  return new Float32Array(memory.buffer, groups * 128, columns);
}

/** The definition of one row of the mask. */
export function dropoutMaskRowPlain(row: number, columns: number, threshold: number, key: PhiloxKey): Float32Array {
  const kept = 1 / (1 - threshold / 65536);
  const mask = new Float32Array(columns);
  const words = new Uint32Array(4);
  for (let column = 0; column < columns; column++) {
    if (column % 8 === 0) philox4x32(column >> 3, row, 0, 0, key, words, DROPOUT_ROUNDS);
    const word = words[(column >> 1) & 3]!;
    const half = column % 2 === 0 ? word & 0xffff : word >>> 16;
    mask[column] = half >= threshold ? kept : 0;
  }
  return mask;
}

/** x with elements dropped; x itself where the rate is 0 or no dropout is given. */
export function dropout<X extends tf.Tensor>(x: X, dropout?: Dropout): X {
  if (!drops(dropout)) return x;
  if (!hasKernel("Dropout")) return dropoutPlain(x, dropout);
  const attributes = dropoutAttributes(dropout);
  return withGradient<X>(
    [x],
    () => runKernel("Dropout", { x }, attributes)[0] as X,
    (dy) => [runKernel("Dropout", { x: dy }, attributes)[0]],
  );
}

export function dropoutPlain<X extends tf.Tensor>(x: X, dropout?: Dropout): X {
  if (!drops(dropout)) return x;
  return tf.tidy(() => x.mul(dropoutMask(rowCount(x), x.shape[x.shape.length - 1]!, dropout).reshape(x.shape))) as X;
}

/** residual + dropout(x), the end of every residual branch. */
export function dropoutAdd<X extends tf.Tensor>(residual: X, x: X, dropout?: Dropout): X {
  expectShapes("dropoutAdd", { residual: [residual, residual.shape], x: [x, residual.shape] });
  if (!hasKernel("DropoutAdd")) return dropoutAddPlain(residual, x, dropout);
  const attributes = dropoutAttributes(dropout);
  return withGradient<X>(
    [residual, x],
    () => runKernel("DropoutAdd", { residual, x }, attributes)[0] as X,
    (dy) => [dy.clone(), drops(dropout) ? runKernel("Dropout", { x: dy }, attributes)[0] : dy.clone()],
  );
}

export function dropoutAddPlain<X extends tf.Tensor>(residual: X, x: X, dropout?: Dropout): X {
  return tf.tidy(() => residual.add(dropoutPlain(x, dropout))) as X;
}
