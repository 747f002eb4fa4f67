/** GPT-2 token by token: its key–value cache. */
import { embedding } from "@mm/ops";
import * as tf from "@tensorflow/tfjs";
import { ATTENTION_NAMES, MLP_NAMES } from "../gpt2/block.js";
import type { Gpt2Config } from "../gpt2/config.js";
import { applyLayerNorm } from "../layers/layer-norm.js";
import type { LanguageModel } from "../model.js";
import { Scope } from "../scope.js";
import { IncrementalAttention } from "./attention.js";
import { stateless } from "./branch.js";
import type { Decoder } from "./decoder.js";
import { type Layer, networkDecoder } from "./network.js";
import type { Spans } from "./spans.js";
import type { DecodingWeights } from "./weights.js";

export function gpt2Decoder(model: LanguageModel, weights: DecodingWeights): Decoder {
  const config = model.config as Gpt2Config;
  const scope = new Scope(model.variables()).at("transformer");
  const words = scope.get<tf.Tensor2D>("wte.weight");
  const layers = Array.from({ length: config.blocks }, (_, i) =>
    blockLayers(config, scope.at(`h.${i}`), weights),
  ).flat();
  return networkDecoder(config, {
    embed: (tokens, spans) =>
      tf.add(embedding(words, tokens), positions(scope.get<tf.Tensor2D>("wpe.weight"), spans)) as tf.Tensor3D,
    layers,
    finish: (x) => applyLayerNorm(scope.at("ln_f"), x),
    head: words,
    scale: 1,
    longest: config.contextLength,
    weights,
  });
}

function blockLayers(config: Gpt2Config, scope: Scope, weights: DecodingWeights): Layer[] {
  const layer = (norm: string, branch: Layer["branch"]): Layer => ({
    normalise: (x) => applyLayerNorm(scope.at(norm), x),
    branch,
    replaces: false,
  });
  return [
    layer(
      "ln_1",
      new IncrementalAttention(config.heads, Number.POSITIVE_INFINITY, scope.at("attn"), ATTENTION_NAMES, weights),
    ),
    layer("ln_2", stateless(weights.mlp(scope.at("mlp"), MLP_NAMES))),
  ];
}

/** The learned positions of all new rows: [1, rows, width]. */
export function positions(table: tf.Tensor2D, spans: Spans): tf.Tensor3D {
  const width = table.shape[1];
  const parts = spans.counts.map((count, text) => tf.slice(table, [spans.past[text]!, 0], [count, width]));
  const rows = parts.length === 1 ? parts[0]! : tf.concat(parts, 0);
  return tf.expandDims(rows, 0);
}
