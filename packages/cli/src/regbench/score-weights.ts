import { loadModel } from "@mm/models";
import { type ScoreResult, type Splits, score } from "@mm/regbench";
import { stopIfInterrupted } from "../interrupt.js";
import { asPredictor } from "../predictor.js";
import type { Reporter } from "../reporter.js";

/**
 * Scores the weights of a file on the test problems, beside the in-context 2- and 3-grams.
 *
 * @throws UserError when interrupted
 */
export async function scoreWeights(
  path: string,
  { test }: Pick<Splits, "test">,
  reporter: Reporter,
  signal: AbortSignal = new AbortController().signal,
): Promise<ScoreResult> {
  const model = loadModel(path);
  const progress = reporter.progress("scoring", test.length, "problems");
  try {
    const result = await score(asPredictor(model), test, {
      ngrams: [2, 3],
      onProgress(done) {
        progress.update(done);
        stopIfInterrupted(signal, "The same command scores the weights, which are saved.");
      },
    });
    progress.finish();
    return result;
  } finally {
    model.dispose();
  }
}
