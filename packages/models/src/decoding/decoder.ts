/**
 * Reading a text once and going on from there. A decoder keeps, for each text, what its model needs of the tokens read so
 * far, so that a further token costs a pass over one position instead of all of them; its logits are those of the whole
 * text, up to rounding.
 */
import type * as tf from "@tensorflow/tfjs";

/** What a decoder keeps of one text. */
export interface DecoderState {
  /** Tokens read so far. */
  readonly length: number;
  /** An independent copy, to go on in another way. */
  fork(): DecoderState;
  dispose(): void;
}

/** The next tokens of a text (at least one), to be read into its state. */
export interface Turn {
  readonly state: DecoderState;
  readonly tokens: readonly number[];
}

export interface Decoder {
  readonly vocabulary: number;
  /** Tokens that the model was trained to see at once. */
  readonly contextLength: number;
  /** Longest text that it can read: contextLength, or no limit where a model knows no positions and looks back so far. */
  readonly longest: number;
  /** The state of a text of which nothing was read. */
  begin(): DecoderState;
  /**
   * Reads the next tokens of several texts, of any lengths, at once; updates their states.
   *
   * @returns scores of the token that follows each text: [turns, vocabulary]
   */
  read(turns: readonly Turn[]): tf.Tensor2D;
  /** The same with the scores after every token, turn after turn: [all tokens, vocabulary]. */
  readAll(turns: readonly Turn[]): tf.Tensor2D;
  /** Frees what the decoder computed from the model's parameters; not the model, not the states. */
  dispose(): void;
}
