import { afterEach, describe, expect, it } from "@jest/globals";
import * as tf from "@tensorflow/tfjs";
import { selectBackend } from "./backends/select.js";
import { copyInto } from "./copy-into.js";

describe.each(["cpu", "wasm"])("copyInto on %s", (backend) => {
  afterEach(() => tf.disposeVariables());

  it("fills an array, shared memory too, and leaves the tensor as it was", async () => {
    await selectBackend(backend);
    const tensor = tf.variable(tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]));
    const shared = new Float32Array(new SharedArrayBuffer(32));
    await copyInto(tensor, shared.subarray(1, 7));
    expect([...shared]).toEqual([0, 1, 2, 3, 4, 5, 6, 0]);
    expect([...tensor.dataSync()]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("wants an array of the tensor's length", async () => {
    await selectBackend(backend);
    await expect(copyInto(tf.variable(tf.ones([3])), new Float32Array(4))).rejects.toThrow(RangeError);
  });
});
