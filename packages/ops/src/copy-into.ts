/** A tensor's numbers in an array that exists already: who reads often leaves no work to the garbage collector. */
import * as tf from "@tensorflow/tfjs";

/** A backend that copies straight out of its memory. */
interface CopyingBackend {
  copyInto(dataId: tf.DataId, into: Float32Array): void;
}

/**
 * @param tensor of float32
 * @param into as long as the tensor; may be shared memory
 * @throws RangeError for another length
 */
export async function copyInto(tensor: tf.Tensor, into: Float32Array): Promise<void> {
  if (into.length !== tensor.size) throw new RangeError(`${tensor.size} numbers do not fit an array of ${into.length}`);
  const backend = tf.backend() as Partial<CopyingBackend>;
  if (backend.copyInto !== undefined) backend.copyInto(tensor.dataId, into);
  else into.set((await tensor.data()) as Float32Array);
}
