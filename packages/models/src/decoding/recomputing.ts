/**
 * The definition of decoding: everything is computed anew at every step. It serves models without an incremental decoder,
 * and the tests of those that have one.
 */
import * as tf from "@tensorflow/tfjs";
import { inference, type LanguageModel } from "../model.js";
import type { Decoder, DecoderState, Turn } from "./decoder.js";
import { checkLength } from "./network.js";

class Text implements DecoderState {
  constructor(readonly tokens: number[] = []) {}

  get length(): number {
    return this.tokens.length;
  }

  fork(): Text {
    return new Text([...this.tokens]);
  }

  dispose(): void {}
}

export function recomputingDecoder(model: LanguageModel): Decoder {
  const { vocabulary, contextLength } = model.config;

  /** The whole text after a turn: int32 [1, time]. */
  function textAfter({ state, tokens }: Turn): tf.Tensor2D {
    const text = state as Text;
    checkLength(text.length, tokens.length, contextLength);
    text.tokens.push(...tokens);
    return tf.tensor2d(text.tokens, [1, text.length], "int32");
  }

  return {
    vocabulary,
    contextLength,
    longest: contextLength,
    begin: () => new Text(),
    read: (turns) => tf.tidy(() => concatenated(turns.map((turn) => model.nextLogits(textAfter(turn))))),
    readAll: (turns) =>
      tf.tidy(() =>
        concatenated(
          turns.map((turn) => {
            const all = tf.squeeze<tf.Tensor2D>(model.logits(textAfter(turn), inference), [0]);
            return tf.slice(all, [all.shape[0] - turn.tokens.length, 0], [-1, -1]);
          }),
        ),
      ),
    dispose() {},
  };
}

function concatenated(parts: tf.Tensor2D[]): tf.Tensor2D {
  return parts.length === 1 ? parts[0]! : tf.concat(parts, 0);
}
