/** GPT-2 as an ONNX graph, after `gpt2/`. */
import { ATTENTION_NAMES, MLP_NAMES } from "../gpt2/block.js";
import type { Gpt2Config } from "../gpt2/config.js";
import type { AttentionNames } from "../layers/attention.js";
import type { MlpNames } from "../layers/mlp.js";
import type { LanguageModel } from "../model.js";
import { Scope } from "../scope.js";
import type { Value } from "./graph.js";
import { Network } from "./network.js";

export function gpt2Graph(model: LanguageModel): Network {
  const config = model.config as Gpt2Config;
  const scope = new Scope(model.variables()).at("transformer");
  const network = new Network(config.width, config.heads);
  const positions = network.slice(network.weight(scope, "wpe.weight"), 0, 0, network.time);
  let stream = network.add(network.embedding(scope, "wte.weight"), positions);
  for (let i = 0; i < config.blocks; i++) {
    const block = scope.at(`h.${i}`);
    const attended = attention(network, block.at("attn"), network.layerNorm(block.at("ln_1"), stream), ATTENTION_NAMES);
    stream = network.add(stream, attended);
    stream = network.add(stream, mlp(network, block.at("mlp"), network.layerNorm(block.at("ln_2"), stream), MLP_NAMES));
  }
  const head = network.transpose(network.weight(scope, "wte.weight"), [1, 0]);
  network.graph.add("MatMul", [network.layerNorm(scope.at("ln_f"), stream), head], {}, "logits");
  network.graph.output("logits", ["batch", "time", config.vocabulary]);
  return network;
}

export function attention(network: Network, scope: Scope, x: Value, names: AttentionNames): Value {
  const { width, heads } = network;
  const projected = network.linear(scope.at(names.input), x);
  const part = (i: number) => network.splitHeads(network.slice(projected, 2, i * width, (i + 1) * width));
  const read = network.causalRead(part(0), part(1), part(2), 0, 1 / Math.sqrt(width / heads));
  return network.linear(scope.at(names.output), network.joinHeads(read));
}

export function mlp(network: Network, scope: Scope, x: Value, names: MlpNames): Value {
  return network.linear(scope.at(names.output), network.gelu(network.linear(scope.at(names.input), x)));
}
