/** A model with GPT-2's tokens that knows a few words, each as probable as the next: its weights are set, not learned. */
import { gpt2Tokenizer } from "@mm/data";
import { createModel, ModelConfig, saveWeights } from "@mm/models";
import { selectBackend } from "@mm/ops";
import { Rng } from "@mm/run";
import * as tf from "@tensorflow/tfjs";

const WORDS = [
  " the",
  " cat",
  " dog",
  " ran",
  " and",
  " was",
  " happy",
  " then",
  " a",
  " ball",
  ".",
  " They",
  " played",
];
/** How much more probable its words are than all others: e^12 each. */
const LEAD = 12;

export async function saveBabblingModel(path: string): Promise<void> {
  await selectBackend("cpu");
  const width = 8;
  const model = createModel(
    ModelConfig.parse({
      kind: "memory-mosaic",
      ...{ vocabulary: 50257, contextLength: 512, blocks: 1, heads: 2, width, slots: 4, bias: true, tieWeights: false },
    }),
    Rng.fromSeed(1),
  );
  // The last norm's bias is 1 in every feature, so a word's row of (lead·√width/width) adds the lead to its logit.
  const head = new Float32Array(50257 * width);
  for (const word of WORDS) {
    const [token, ...more] = gpt2Tokenizer().encode(word);
    if (more.length > 0) throw new Error(`expected one token for "${word}"`);
    head.fill(LEAD / Math.sqrt(width), token! * width, (token! + 1) * width);
  }
  const variables = model.variables();
  variables["head.weight"]!.assign(tf.tensor2d(head, [50257, width]));
  variables["ln_out.bias"]!.assign(tf.ones([width]));
  variables["ln_out.weight"]!.assign(tf.fill([width], 0.1));
  await saveWeights(model, path);
  model.dispose();
}
