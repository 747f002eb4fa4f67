/**
 * Generation, one token at a time. The model sees the last `contextLength` tokens; when the text grows longer, the window
 * slides and everything is computed anew from the cropped text.
 */
import { createDecoder } from "./decoding/registry.js";
import { chooseToken, type Sampling } from "./decoding/sampling.js";
import { GrowingText, type Overflow, readOn } from "./decoding/text.js";
import type { LanguageModel } from "./model.js";

/**
 * Continues a text.
 *
 * @param prompt at least one token id
 * @param overflow what happens beyond the trained context
 * @yields the next token and the logits it was chosen from
 */
export async function* generate(
  model: LanguageModel,
  prompt: readonly number[],
  count: number,
  sampling: Sampling,
  overflow: Overflow = "crop",
): AsyncGenerator<{ token: number; logits: Float32Array }> {
  const decoder = createDecoder(model);
  const text = new GrowingText(decoder, prompt, overflow);
  try {
    for (let made = 0; made < count; made++) {
      const scores = readOn(decoder, [text]);
      const logits = (await scores.data()) as Float32Array;
      scores.dispose();
      const token = chooseToken(logits, sampling, text.tokens);
      text.tokens.push(token);
      yield { token, logits };
    }
  } finally {
    text.dispose();
    decoder.dispose();
  }
}
