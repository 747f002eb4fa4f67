import { inference, type LanguageModel } from "@mm/models";
import type { Predictor } from "@mm/regbench";
import { groupByLength, padSequences } from "@mm/train";
import * as tf from "@tensorflow/tfjs";

/** Sequences of like length that the model reads at once. */
const ROWS_PER_PASS = 8;

/** A language model as RegBench sees it: token sequences in, one row of logits per token out, padding cut off. */
export function asPredictor(model: LanguageModel): Predictor {
  return async (texts) => {
    const sequences = texts.map((tokens) => ({ tokens, targets: tokens }));
    const answers = new Array<Float32Array>(texts.length);
    for (const group of groupByLength(sequences, ROWS_PER_PASS)) {
      const { tokens, length } = padSequences(group.map((at) => sequences[at]!));
      const logits = tf.tidy(() => model.logits(tf.tensor2d(tokens, [group.length, length], "int32"), inference));
      const values = (await logits.data()) as Float32Array;
      const size = logits.shape[2];
      logits.dispose();
      for (const [row, at] of group.entries()) {
        const start = row * length * size;
        answers[at] = values.slice(start, start + texts[at]!.length * size);
      }
    }
    return answers;
  };
}
