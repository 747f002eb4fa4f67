/**
 * The Transformer as it is built today, after Llama (arXiv 2302.13971): rotary positions, SwiGLU, RMS norm before each
 * sublayer, no biases. RegBench has none like it; it answers how much of a difference is the Transformer's age.
 *
 *   r = dropout(E[token]);  r ← r + Attn(norm r);  r ← r + W₂(silu(W₁ norm r) ⊙ W₃ norm r);  logits = E norm(r)
 *
 * Initial matrices are normal of deviation 0.02, less where they write to the residual stream; weight decay spares vectors.
 */
import { causalRead, dropout, embedding, linear } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { headedModel } from "../../headed-model.js";
import { silu } from "../../layers/silu.js";
import { dropoutAt, type LanguageModel, type Mode, observe } from "../../model.js";
import { constant, normal, type ParameterTable, under } from "../../parameters.js";
import { causalWeights } from "../../read-weights.js";
import { Scope } from "../../scope.js";
import { DEVIATION, outputDeviation } from "../backbone.js";
import { hiddenWidth, type ModernTransformerConfig } from "./config.js";
import { rotary } from "./rotary.js";

const EMBEDDING = "tok_embeddings.weight";
const EPSILON = 1e-5;

export function modernTransformerParameters(config: ModernTransformerConfig): ParameterTable {
  const { vocabulary, width, blocks } = config;
  const hidden = hiddenWidth(config);
  const gain = { shape: [width], initial: constant(1) };
  const matrix = (output: number, input: number, deviation = DEVIATION) => ({
    shape: [output, input],
    initial: normal(deviation),
  });
  const block = {
    "attention_norm.weight": gain,
    "attention.wq.weight": matrix(width, width),
    "attention.wk.weight": matrix(width, width),
    "attention.wv.weight": matrix(width, width),
    "attention.wo.weight": matrix(width, width, outputDeviation(config)),
    "ffn_norm.weight": gain,
    "feed_forward.w1.weight": matrix(hidden, width),
    "feed_forward.w3.weight": matrix(hidden, width),
    "feed_forward.w2.weight": matrix(width, hidden, outputDeviation(config)),
  };
  return {
    [EMBEDDING]: matrix(vocabulary, width),
    ...Object.assign({}, ...Array.from({ length: blocks }, (_, i) => under(`layers.${i}`, block))),
    "norm.weight": gain,
  };
}

export function modernTransformer(
  config: ModernTransformerConfig,
  variables: Record<string, tf.Variable>,
): LanguageModel {
  const scope = new Scope(variables);
  const { heads, width } = config;
  const depth = width / heads;

  const map = (part: Scope, name: string, x: tf.Tensor3D) => linear(x, part.get<tf.Tensor2D>(`${name}.weight`));
  const norm = (part: Scope, name: string, x: tf.Tensor3D) => rmsNorm(x, part.get<tf.Tensor1D>(`${name}.weight`));

  function attention(part: Scope, x: tf.Tensor3D, turn: ReturnType<typeof rotary>, mode: Mode): tf.Tensor3D {
    const [queries, keys] = [turn(map(part, "wq", x)), turn(map(part, "wk", x))];
    const values = map(part, "wv", x);
    const settings = { heads, nearest: 0, scale: 1 / Math.sqrt(depth) };
    observe(mode, part.path("weights"), () => causalWeights(queries, keys, settings));
    const mask = dropoutAt(mode, part.path("read"), config.dropout);
    return map(part, "wo", causalRead(queries, keys, values, { ...settings, dropout: mask }));
  }

  function feedForward(part: Scope, x: tf.Tensor3D): tf.Tensor3D {
    return map(part, "w2", tf.mul(silu(map(part, "w1", x)), map(part, "w3", x)));
  }

  function states(tokens: tf.Tensor2D, mode: Mode): tf.Tensor3D {
    const turn = rotary(tokens.shape[1], width, depth, config.rotaryBase);
    const words = embedding(scope.get<tf.Tensor2D>(EMBEDDING), tokens) as tf.Tensor3D;
    let stream = dropout(words, dropoutAt(mode, "embedding", config.dropout));
    for (let i = 0; i < config.blocks; i++) {
      const block = scope.at(`layers.${i}`);
      stream = tf.add(stream, attention(block.at("attention"), norm(block, "attention_norm", stream), turn, mode));
      stream = tf.add(stream, feedForward(block.at("feed_forward"), norm(block, "ffn_norm", stream)));
      observe(mode, block.path("stream"), () => stream);
    }
    return norm(scope, "norm", stream);
  }

  const parameters = modernTransformerParameters(config);
  return headedModel({ config, parameters, variables, states, head: EMBEDDING, logitScale: 1, skipTokens: 0 });
}

/** x/√(mean x² + ε) · weight over the last axis. */
function rmsNorm(x: tf.Tensor3D, weight: tf.Tensor1D): tf.Tensor3D {
  const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(x), 2, true), EPSILON));
  return tf.mul(tf.mul(x, inverse), weight);
}
