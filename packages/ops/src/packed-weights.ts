/**
 * Weights kept in fewer bits, for decoding, which waits for memory: half or a quarter of the bytes is half or a quarter of
 * the time. A matrix is packed row by row,
 *
 *   bf16   each number rounded to the nearest bfloat16 (ties to even): 8 significant bits
 *   int8   each number as q·f with an integer q in −127 … 127 and one factor f = max |row|/127 for each row
 *
 * into a tensor of bytes (shown to TF.js as int32 words). Products are of the unpacked numbers, in fp32. No gradients.
 */
import * as tf from "@tensorflow/tfjs";

export const WEIGHT_FORMATS = ["bf16", "int8"] as const;
export type WeightFormat = (typeof WEIGHT_FORMATS)[number];

const LARGEST_BYTE = 127;
/** Bits of a float that bf16 leaves out. */
const DROPPED = 16;

/** A packed matrix. Dispose it with `disposePacked`. */
export interface PackedWeights {
  readonly format: WeightFormat;
  readonly rows: number;
  readonly columns: number;
  /** The bytes, row after row: int32 [rows · columns · bytes / 4, rounded up]. */
  readonly words: tf.Tensor1D;
  /** int8: the factor of each row, [rows]. */
  readonly factors?: tf.Tensor1D;
}

/** @param weight [rows, columns]; it is left as it is */
export function packWeights(weight: tf.Tensor2D, format: WeightFormat): PackedWeights {
  const [rows, columns] = weight.shape;
  const numbers = weight.dataSync() as Float32Array;
  if (format === "bf16") return { format, rows, columns, words: wordsOf(toHalves(numbers)) };
  const { bytes, factors } = toBytes(numbers, rows, columns);
  return { format, rows, columns, words: wordsOf(bytes), factors: tf.tensor1d(factors) };
}

/** The definition of what is packed: the numbers that products use, [rows, columns]. */
export function unpackWeights({ format, rows, columns, words, factors }: PackedWeights): tf.Tensor2D {
  const { buffer } = words.dataSync() as Int32Array;
  const count = rows * columns;
  if (format === "bf16") {
    const bits = Uint32Array.from(new Uint16Array(buffer, 0, count), (half) => half << DROPPED);
    return tf.tensor2d(new Float32Array(bits.buffer), [rows, columns]);
  }
  const integers = Float32Array.from(new Int8Array(buffer, 0, count));
  return tf.tidy(() => tf.mul(tf.tensor2d(integers, [rows, columns]), tf.expandDims(factors!, 1)));
}

export function disposePacked({ words, factors }: PackedWeights): void {
  words.dispose();
  factors?.dispose();
}

function toHalves(numbers: Float32Array): Uint16Array {
  const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  const halves = new Uint16Array(numbers.length);
  for (let i = 0; i < bits.length; i++) {
    const x = bits[i]!;
    halves[i] = Number.isNaN(numbers[i]!) ? 0x7fc0 : (x + 0x7fff + ((x >>> DROPPED) & 1)) >>> DROPPED;
  }
  return halves;
}

function toBytes(numbers: Float32Array, rows: number, columns: number) {
  const bytes = new Int8Array(rows * columns);
  const factors = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const begin = row * columns;
    let largest = 0;
    for (let i = begin; i < begin + columns; i++) largest = Math.max(largest, Math.abs(numbers[i]!));
    const factor = Math.fround(largest / LARGEST_BYTE);
    factors[row] = factor;
    if (factor === 0) continue;
    for (let i = begin; i < begin + columns; i++) bytes[i] = Math.round(numbers[i]! / factor);
  }
  return { bytes, factors };
}

function wordsOf(packed: Uint16Array | Int8Array): tf.Tensor1D {
  const words = new Int32Array(Math.ceil(packed.byteLength / 4));
  new Uint8Array(words.buffer).set(new Uint8Array(packed.buffer));
  return tf.tensor1d(words, "int32");
}
