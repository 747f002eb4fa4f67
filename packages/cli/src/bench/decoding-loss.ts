/** What a way of keeping the weights costs: the mean loss of validation text, scored by the decoder itself. */
import type { TokenStream } from "@mm/data";
import { type Decoder, logProbability } from "@mm/models";

/**
 * @param windows pieces of the model's context, evenly spread over the text
 * @returns nats per token
 */
export async function decodingLoss(decoder: Decoder, text: TokenStream, windows: number): Promise<number> {
  const length = Math.min(decoder.contextLength, text.length - 1);
  const last = text.length - length - 1;
  let sum = 0;
  for (let window = 0; window < windows; window++) {
    const start = windows === 1 ? 0 : Math.round((last * window) / (windows - 1));
    const tokens = Array.from({ length: length + 1 }, (_, i) => text.at(start + i));
    const state = decoder.begin();
    const logits = decoder.readAll([{ state, tokens: tokens.slice(0, -1) }]);
    const values = (await logits.data()) as Float32Array;
    logits.dispose();
    state.dispose();
    for (let i = 0; i < length; i++) {
      const row = values.subarray(i * decoder.vocabulary, (i + 1) * decoder.vocabulary);
      sum -= logProbability(row, tokens[i + 1]!);
    }
  }
  return sum / (windows * length);
}
