/**
 * The Memory Mosaic as an ONNX graph, after `memory-mosaic/`.
 *
 * The leaky average is its triangular matrix, L_tj = (1 − e^{−λ}) e^{−λ(t−j)} for j ≤ t, times the features. Exponents are
 * never positive, so it is as exact as the recurrence at any length (running sums of e^{λj} u_j would overflow), and it costs
 * no more than the contextual read, which forms scores of the same shape. ONNX's Scan would save that memory, but few
 * runtimes besides onnxruntime's CPU execute it well, and none of them in parallel over time.
 */
import { ATTENTION_NAMES, MLP_NAMES } from "../gpt2/block.js";
import type { MemoryMosaicConfig } from "../memory-mosaic/config.js";
import { LARGEST_EXPONENT } from "../memory-mosaic/key-extractor.js";
import type { LanguageModel } from "../model.js";
import { Scope } from "../scope.js";
import { attention, mlp } from "./gpt2.js";
import type { Value } from "./graph.js";
import { Network } from "./network.js";

/** Beyond any text. */
const END = 2 ** 31 - 1;

export function memoryMosaicGraph(model: LanguageModel): Network {
  const config = model.config as MemoryMosaicConfig;
  const scope = new Scope(model.variables());
  const network = new Network(config.width, config.heads);
  let stream = network.embedding(scope, "emb.weight");
  const branch = (norm: Scope, apply: (x: Value) => Value) => {
    const input = network.layerNorm(norm, stream);
    stream = network.add(config.preNorm ? stream : input, apply(input));
  };
  for (let i = 0; i < config.blocks; i++) {
    const block = scope.at(`blocks.${i}`);
    branch(block.at("ln1"), (x) => contextual(network, config, block.at("attn"), x));
    if (!config.contextualOnly) branch(block.at("ln2"), (x) => persistent(network, config, block, x));
  }
  const states = network.layerNorm(scope.at("ln_out"), stream);
  const read = config.skipTokens === 0 ? states : network.slice(states, 1, config.skipTokens, END);
  const words = network.weight(scope, config.tieWeights ? "emb.weight" : "head.weight");
  const products = network.product(read, network.transpose(words, [1, 0]));
  network.graph.add("Mul", [products, network.graph.floats(1 / Math.sqrt(config.width))], {}, "logits");
  const time = config.skipTokens === 0 ? "time" : `time - ${config.skipTokens}`;
  network.graph.output("logits", ["batch", time, config.vocabulary]);
  return network;
}

function contextual(network: Network, config: MemoryMosaicConfig, scope: Scope, x: Value): Value {
  if (config.contextualRead === "attention") return attention(network, scope, x, ATTENTION_NAMES);
  const keys = extractKeys(network, config, scope, 1, x);
  const read = network.causalRead(keys, keys, extractValues(network, config, scope, x), config.peekShift);
  return network.linear(scope.at("c_proj"), network.joinHeads(read));
}

function persistent(network: Network, config: MemoryMosaicConfig, block: Scope, x: Value): Value {
  if (config.persistentRead === "mlp") return mlp(network, block.at("mlp"), x, MLP_NAMES);
  const scope = block.at("pmem");
  const keys = extractKeys(network, config, scope, 2, x);
  const banks = Array.from({ length: config.persistentBanks }, (_, r) => {
    const slotKeys = network.transpose(network.weight(scope, `pmem.M_k${r}`), [0, 1, 3, 2]);
    const weights = network.graph.add("Softmax", [network.product(keys, slotKeys)], { axis: -1 });
    return network.product(weights, network.weight(scope, `pmem.M_v${r}`));
  });
  const mean = network.scale(
    banks.reduce((sum, bank) => network.add(sum, bank)),
    1 / banks.length,
  );
  return network.linear(scope.at("c_proj"), network.joinHeads(network.multiply(mean, valueScale(network, scope))));
}

/** g^power · k̄/‖k̄‖: [batch, heads, time, features]. */
function extractKeys(network: Network, config: MemoryMosaicConfig, scope: Scope, power: 1 | 2, x: Value): Value {
  const features = network.splitHeads(keyFeatures(network, config, scope, x));
  const averages = config.leakyAverage ? leakyAverage(network, scope, features) : features;
  const { graph } = network;
  const raw = network.scale(network.perHead(scope, "kernel_beta"), 10);
  const exponent = graph.add("Min", [raw, graph.floats(LARGEST_EXPONENT)]);
  const scale = network.exponential(network.scale(exponent, power));
  return network.multiply(config.keyNorm ? network.unit(averages) : averages, scale);
}

/** The causal convolution over the last tokens, the weight [out, in, kernel] as stored. */
function keyFeatures(network: Network, { keyKernel }: MemoryMosaicConfig, scope: Scope, x: Value): Value {
  const name = "k_featurizer.conv";
  const bias = scope.find(`${name}.bias`) === undefined ? [] : [network.weight(scope, `${name}.bias`)];
  const inputs = [network.transpose(x, [0, 2, 1]), network.weight(scope, `${name}.weight`), ...bias];
  return network.transpose(network.graph.add("Conv", inputs, { pads: [keyKernel - 1, 0] }), [0, 2, 1]);
}

function leakyAverage(network: Network, scope: Scope, features: Value): Value {
  const { graph, distance } = network;
  const rate = graph.add("Abs", [network.scale(network.perHead(scope, "leaky_key_beta"), 10)]);
  const decayed = graph.add("Neg", [rate]);
  const isPast = graph.add("GreaterOrEqual", [distance, graph.floats(0)]);
  const exponents = graph.add("Where", [isPast, network.multiply(decayed, distance), graph.floats(-Infinity)]);
  const share = graph.add("Sub", [graph.floats(1), network.exponential(decayed)]);
  return network.product(network.multiply(network.exponential(exponents), share), features);
}

/** exp(10·value_beta) · v̄/‖v̄‖ with v̄_t = c w_t + (1 − c) w_{t+s}: [batch, heads, time, features]. */
function extractValues(network: Network, { peek, peekShift }: MemoryMosaicConfig, scope: Scope, x: Value): Value {
  const { graph } = network;
  const features = network.linear(scope.at("v_featurizer.linear"), x);
  const present = network.splitHeads(features);
  if (!peek) return network.multiply(network.unit(present), valueScale(network, scope));
  const padded = graph.add("Pad", [features, graph.integers([0, 0, 0, 0, peekShift, 0])]);
  const later = network.splitHeads(network.slice(padded, 1, peekShift, END));
  const mix = network.perHead(scope, "v_featurizer.coef");
  const rest = graph.add("Sub", [graph.floats(1), mix]);
  const mixed = network.add(network.multiply(present, mix), network.multiply(later, rest));
  return network.multiply(network.unit(mixed), valueScale(network, scope));
}

function valueScale(network: Network, scope: Scope): Value {
  return network.exponential(network.scale(network.perHead(scope, "value_beta"), 10));
}
