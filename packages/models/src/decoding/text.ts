/**
 * A text being continued, and what happens when it outgrows the trained context.
 *
 * `crop`, as the authors do: the model sees the last `contextLength` tokens, read anew after every token. Exact, and as slow
 * as computing everything again. `stream`: a model without positions (a Memory Mosaic) reads on; its leaky averages keep
 * their past, and a query reads pairs at most contextLength − 1 back, the farthest it was trained on. What it reads is then
 * not what a window would show: averages and stored pairs remember tokens before the window. A model with learned
 * positions starts again from the last half of its context whenever that is full.
 */
import type * as tf from "@tensorflow/tfjs";
import type { Decoder, DecoderState, Turn } from "./decoder.js";

export const OVERFLOWS = ["crop", "stream"] as const;
export type Overflow = (typeof OVERFLOWS)[number];

export class GrowingText {
  readonly tokens: number[];
  #state: DecoderState | undefined;
  /** Index of the first token that the state has seen. */
  #first = 0;

  constructor(
    private readonly decoder: Decoder,
    tokens: readonly number[],
    private readonly overflow: Overflow = "crop",
  ) {
    this.tokens = [...tokens];
  }

  /** Tokens that must be read before the next one can be predicted. */
  get unread(): number {
    this.#makeRoom();
    return this.tokens.length - this.#first - (this.#state?.length ?? 0);
  }

  /** The next tokens to read, at most `most`. */
  turn(most = Number.POSITIVE_INFINITY): Turn {
    this.#makeRoom();
    this.#state ??= this.decoder.begin();
    const from = this.#first + this.#state.length;
    return { state: this.#state, tokens: this.tokens.slice(from, Math.min(this.tokens.length, from + most)) };
  }

  /** A copy that shares nothing, to go on in another way. */
  fork(): GrowingText {
    const copy = new GrowingText(this.decoder, this.tokens, this.overflow);
    copy.#state = this.#state?.fork();
    copy.#first = this.#first;
    return copy;
  }

  dispose(): void {
    this.#state?.dispose();
    this.#state = undefined;
    this.#first = 0;
  }

  /** Forgets the state and moves the window when the text no longer fits. */
  #makeRoom(): void {
    const { contextLength, longest } = this.decoder;
    const limit = this.overflow === "crop" ? contextLength : longest;
    if (this.tokens.length - this.#first <= limit) return;
    const kept = this.overflow === "crop" ? contextLength : Math.ceil(contextLength / 2);
    this.dispose();
    this.#first = this.tokens.length - kept;
  }
}

/**
 * Reads what several texts have not read yet.
 *
 * @returns scores of the token that follows each text: [texts, vocabulary]
 */
export function readOn(decoder: Decoder, texts: readonly GrowingText[]): tf.Tensor2D {
  return decoder.read(texts.map((text) => text.turn()));
}
