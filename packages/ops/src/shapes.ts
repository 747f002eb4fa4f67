/** Checks of shapes, so that a wrong call names itself instead of failing deep inside a kernel. */
import type * as tf from "@tensorflow/tfjs";

/** One entry per axis: a fixed length, or a letter bound to the length found at its first use. */
type Axis = number | string;

/**
 * Compares the shapes of an operation's inputs with a declaration; equal letters must have equal lengths.
 *
 * @example expectShapes("leakyAverage", { u: [u, ["B", "T", "C"]], rate: [rate, ["H"]] })
 * @returns the length of every letter
 * @throws Error naming the operation, the input, the shape expected and the shape found
 */
export function expectShapes<Letters extends string>(
  operation: string,
  inputs: Record<string, [tensor: tf.Tensor | undefined, axes: (Letters | number)[]]>,
): Record<Letters, number> {
  const lengths: Record<string, number> = {};
  for (const [name, [tensor, axes]] of Object.entries(inputs)) {
    if (tensor === undefined) continue;
    const fits =
      tensor.shape.length === axes.length &&
      axes.every((axis: Axis, index) => {
        const found = tensor.shape[index]!;
        if (typeof axis === "number") return found === axis;
        lengths[axis] ??= found;
        return lengths[axis] === found;
      });
    if (!fits) {
      const known = axes.map((axis: Axis) => (lengths[axis] === undefined ? axis : `${axis}=${lengths[axis]}`));
      throw new Error(`${operation}: expected ${name} of shape [${known.join(", ")}], found [${tensor.shape}]`);
    }
  }
  return lengths as Record<Letters, number>;
}

/** @throws Error when the last axis does not split into `heads` equal parts */
export function expectHeads(operation: string, width: number, heads: number): void {
  if (!Number.isInteger(heads) || heads < 1 || width % heads !== 0) {
    throw new Error(
      `${operation}: expected a width that is a multiple of the number of heads, found ${width} and ${heads}`,
    );
  }
}

/** @throws Error when the tensor is not int32 */
export function expectIntegers(operation: string, name: string, tensor: tf.Tensor): void {
  if (tensor.dtype !== "int32") throw new Error(`${operation}: expected ${name} of type int32, found ${tensor.dtype}`);
}

/** The leading axes of a tensor, whose last axis an operation works along, multiplied. */
export function rowCount(x: tf.Tensor): number {
  const width = x.shape[x.shape.length - 1]!;
  return width === 0 ? 0 : x.size / width;
}
