/** Plain JavaScript: slow, exact, the reference. */
import * as tf from "@tensorflow/tfjs";
import type { BackendProvider } from "./provider.js";

export const cpu: BackendProvider = {
  name: "cpu",
  description: "plain JavaScript, slow: the reference that the others are tested against",
  async load() {
    // Keeps TF.js from advertising its Node package at the first tensor.
    (tf.findBackend("cpu") as { firstUse?: boolean } | null)!.firstUse = false;
    const { version } = tf;
    return { tfName: "cpu", version: version["tfjs-backend-cpu"] ?? version.tfjs };
  },
};
