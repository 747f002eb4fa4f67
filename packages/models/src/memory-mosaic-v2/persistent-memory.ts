/**
 * Persistent memory of v2: a gated feed-forward network, y = W₂ (silu(W₁ x) ⊙ W₃ x). Rows of W₁ and W₃ are its stored
 * keys, columns of W₂ its values. Section 3.3.
 */
import { linear } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { silu } from "../layers/silu.js";
import { type Mode, observe } from "../model.js";
import { clippedNormal, type ParameterTable } from "../parameters.js";
import type { Scope } from "../scope.js";
import { type MemoryMosaicV2Config, matrixDeviation } from "./config.js";

export class PersistentMemory {
  static parameters({ width, hiddenWidth }: MemoryMosaicV2Config, block: number): ParameterTable {
    const matrix = (output: number, input: number) => ({
      shape: [output, input],
      initial: clippedNormal(matrixDeviation(input, block)),
    });
    return {
      "w1.weight": matrix(hiddenWidth, width),
      "w3.weight": matrix(hiddenWidth, width),
      "w2.weight": matrix(width, hiddenWidth),
    };
  }

  constructor(private readonly scope: Scope) {}

  /** [batch, time, width] → [batch, time, width] */
  apply(x: tf.Tensor3D, mode: Mode): tf.Tensor3D {
    const map = (name: string, input: tf.Tensor3D) =>
      linear(input, this.scope.get<tf.Tensor2D>(`${name}.weight`)) as tf.Tensor3D;
    const hidden = tf.mul<tf.Tensor3D>(silu(map("w1", x)), map("w3", x));
    observe(mode, this.scope.path("hidden"), () => hidden);
    return map("w2", hidden);
  }
}
