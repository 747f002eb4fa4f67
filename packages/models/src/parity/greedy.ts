/** Greedy generation beyond the context length: the same tokens, from the same logits. */

import { modelFromTensors } from "../from-tensors.js";
import { generate } from "../generate.js";
import { mosaicConfig } from "./authors-config.js";
import type { Fixture } from "./fixture.js";
import { weightsOf } from "./intermediates.js";
import { numbers } from "./language-model.js";
import { absoluteError, type Measure, worstOf } from "./measure.js";

const TOLERANCE = 1e-4;

export async function greedyParity(fixture: Fixture): Promise<Measure[]> {
  const config = mosaicConfig(fixture);
  const { file, weights } = weightsOf(fixture);
  const model = modelFromTensors(config, weights, file);
  const { prompt, generated, step_logits: stepLogits } = fixture.tensors;
  const expected = Array.from(numbers(generated!.data));
  const reference = stepLogits!.data as Float32Array;
  const errors: Record<string, number> = {};
  let wrong = 0;
  try {
    let step = 0;
    for await (const { token, logits } of generate(model, Array.from(numbers(prompt!.data)), expected.length, {
      temperature: 0,
    })) {
      const from = step * config.vocabulary;
      errors[`token ${step + 1}`] = absoluteError(logits, reference.subarray(from, from + config.vocabulary));
      if (token !== expected[step]) wrong++;
      step++;
    }
  } finally {
    model.dispose();
  }
  return [{ quantity: "wrong tokens", error: wrong, tolerance: 0 }, worstOf("logits", errors, TOLERANCE)];
}
