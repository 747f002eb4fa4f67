/** A tensor that a text carries from step to step. */
import * as tf from "@tensorflow/tfjs";

export class Kept<T extends tf.Tensor> {
  #tensor: T | undefined;

  get(): T | undefined {
    return this.#tensor;
  }

  /** Keeps the tensor's content, also beyond the end of a surrounding tidy. */
  set(tensor: T): void {
    const before = this.#tensor;
    this.#tensor = tf.keep(tf.clone(tensor));
    before?.dispose();
  }

  fork(): Kept<T> {
    const copy = new Kept<T>();
    if (this.#tensor !== undefined) copy.set(this.#tensor);
    return copy;
  }

  dispose(): void {
    this.#tensor?.dispose();
    this.#tensor = undefined;
  }
}
