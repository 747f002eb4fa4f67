/** The decoder of a network: an embedding, branches that add to the residual stream, a norm and a head. */
import * as tf from "@tensorflow/tfjs";
import type { LanguageModel } from "../model.js";
import type { BranchState, IncrementalBranch } from "./branch.js";
import type { Decoder, DecoderState, Turn } from "./decoder.js";
import { Spans } from "./spans.js";
import { DecodingWeights } from "./weights.js";

export interface Network {
  /** Embedded tokens [1, rows, width], in the order of the spans. */
  embed(tokens: tf.Tensor2D, spans: Spans): tf.Tensor3D;
  /** In the order in which they add to the stream. */
  readonly layers: readonly Layer[];
  /** The norm before the head. */
  finish(x: tf.Tensor3D): tf.Tensor3D;
  /** [vocabulary, width] */
  readonly head: tf.Tensor2D;
  /** Factor of the logits. */
  readonly scale: number;
  readonly longest: number;
  /** What the branches computed from the parameters, to be freed with the decoder. */
  readonly owned?: readonly tf.Tensor[];
  /** What the head is kept in, and the branches' matrices; the decoder frees it. */
  readonly weights?: DecodingWeights;
}

export interface Layer {
  normalise(x: tf.Tensor3D): tf.Tensor3D;
  readonly branch: IncrementalBranch;
  /** Whether the branch adds to its normalised input instead of the stream. */
  readonly replaces: boolean;
}

class NetworkState implements DecoderState {
  length = 0;

  constructor(readonly layers: readonly BranchState[]) {}

  fork(): NetworkState {
    const copy = new NetworkState(this.layers.map((layer) => layer.fork()));
    copy.length = this.length;
    return copy;
  }

  dispose(): void {
    for (const layer of this.layers) layer.dispose();
  }
}

export function networkDecoder({ vocabulary, contextLength }: LanguageModel["config"], network: Network): Decoder {
  const { layers, longest, owned = [], weights = new DecodingWeights("fp32") } = network;
  const head = weights.product(network.head);

  /** The stream after the last layer, at the new rows of all texts. */
  function advance(turns: readonly Turn[]): { stream: tf.Tensor3D; spans: Spans } {
    const states = turns.map(({ state }) => state as NetworkState);
    const counts = turns.map(({ tokens }) => tokens.length);
    for (const [at, state] of states.entries()) checkLength(state.length, counts[at]!, longest);
    const tokens = turns.flatMap((turn) => turn.tokens);
    const spans = new Spans(
      counts,
      states.map(({ length }) => length),
    );
    let stream = network.embed(tf.tensor2d(tokens, [1, tokens.length], "int32"), spans);
    for (const [at, { normalise, branch, replaces }] of layers.entries()) {
      const input = normalise(stream);
      const own = states.map((state) => state.layers[at]!);
      stream = tf.add(replaces ? input : stream, branch.apply(input, spans, own));
    }
    for (const [at, state] of states.entries()) state.length += counts[at]!;
    return { stream, spans };
  }

  function scores(stream: tf.Tensor3D): tf.Tensor2D {
    const rows = tf.reshape(network.finish(stream), [stream.shape[1], stream.shape[2]]) as tf.Tensor2D;
    const products = head(rows);
    return network.scale === 1 ? products : tf.mul(products, network.scale);
  }

  return {
    vocabulary,
    contextLength,
    longest,
    begin: () => new NetworkState(layers.map(({ branch }) => branch.begin())),
    read: (turns) =>
      tf.tidy(() => {
        const { stream, spans } = advance(turns);
        return scores(spans.last(stream));
      }),
    readAll: (turns) => tf.tidy(() => scores(advance(turns).stream)),
    dispose() {
      tf.dispose([...owned]);
      weights.dispose();
    },
  };
}

export function checkLength(past: number, count: number, longest: number): void {
  if (count < 1) throw new Error("a turn of a decoder needs at least one token");
  if (past + count > longest) throw new Error(`expected a text of at most ${longest} tokens, found ${past + count}`);
}
