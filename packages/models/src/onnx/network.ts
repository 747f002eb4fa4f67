/**
 * What the architectures' graphs are made of. Everything is built of ONNX's standard operators; weights keep their shapes
 * and names, so what PyTorch stores as (out, in) is turned round by a node (which runtimes do once, when they load).
 */

import { LAYER_NORM_EPSILON } from "@mm/ops";
import type * as tf from "@tensorflow/tfjs";
import type { Scope } from "../scope.js";
import { Graph, type Value } from "./graph.js";

/** Score of what must not be read: its exponential is 0 beside any other. */
const LOWEST = -3.4e38;

export class Network {
  readonly graph = new Graph();
  /** int64 [batch, time] */
  readonly tokens = this.graph.input("tokens", ["batch", "time"]);
  /** Number of tokens: int64 [1]. */
  readonly time = this.#lengthOf(this.tokens);
  readonly #masks = new Map<number, { allowed: Value; factor: Value }>();
  #distance: Value | undefined;

  /** @param width features of a token */
  constructor(
    readonly width: number,
    readonly heads: number,
  ) {}

  // ---- arithmetic -------------------------------------------------------------------------------------------------------

  add = (a: Value, b: Value) => this.graph.add("Add", [a, b]);
  multiply = (a: Value, b: Value) => this.graph.add("Mul", [a, b]);
  scale = (x: Value, factor: number) => (factor === 1 ? x : this.multiply(x, this.graph.floats(factor)));
  product = (a: Value, b: Value) => this.graph.add("MatMul", [a, b]);
  exponential = (x: Value) => this.graph.add("Exp", [x]);
  reshape = (x: Value, shape: readonly number[]) => this.graph.add("Reshape", [x, this.graph.integers(shape)]);
  transpose = (x: Value, perm: readonly number[]) => this.graph.add("Transpose", [x], { perm });

  /** Positions `begin` … `end` − 1 along an axis. */
  slice(x: Value, axis: number, begin: number | Value, end: number | Value): Value {
    const bound = (at: number | Value) => (typeof at === "number" ? this.graph.integers([at]) : at);
    return this.graph.add("Slice", [x, bound(begin), bound(end), this.graph.integers([axis])]);
  }

  // ---- weights ----------------------------------------------------------------------------------------------------------

  weight(scope: Scope, name: string): Value {
    const variable = scope.get<tf.Tensor>(name);
    return this.graph.tensor(scope.path(name), variable.shape, variable.dataSync() as Float32Array);
  }

  /** A number per head as [heads, 1, 1], to meet [batch, heads, time, features]. */
  perHead(scope: Scope, name: string): Value {
    return this.reshape(this.weight(scope, name), [this.heads, 1, 1]);
  }

  // ---- layers -----------------------------------------------------------------------------------------------------------

  embedding(scope: Scope, name: string): Value {
    return this.graph.add("Gather", [this.weight(scope, name), this.tokens]);
  }

  /** x·weightᵀ (+ bias) */
  linear(scope: Scope, x: Value): Value {
    const y = this.product(x, this.transpose(this.weight(scope, "weight"), [1, 0]));
    return scope.find("bias") === undefined ? y : this.add(y, this.weight(scope, "bias"));
  }

  layerNorm(scope: Scope, x: Value): Value {
    const bias = scope.find("bias") === undefined ? [] : [this.weight(scope, "bias")];
    const attributes = { axis: -1, epsilon: { float: LAYER_NORM_EPSILON } };
    return this.graph.add("LayerNormalization", [x, this.weight(scope, "weight"), ...bias], attributes);
  }

  /** ½x(1 + tanh(√(2/π)(x + 0.044715x³))) */
  gelu(x: Value): Value {
    const cube = this.multiply(this.multiply(x, x), x);
    const inner = this.scale(this.add(x, this.scale(cube, 0.044715)), Math.sqrt(2 / Math.PI));
    return this.multiply(this.scale(x, 0.5), this.add(this.graph.add("Tanh", [inner]), this.graph.floats(1)));
  }

  // ---- heads ------------------------------------------------------------------------------------------------------------

  /** [batch, time, width] → [batch, heads, time, features] */
  splitHeads(x: Value): Value {
    return this.transpose(this.reshape(x, [0, 0, this.heads, this.width / this.heads]), [0, 2, 1, 3]);
  }

  /** [batch, heads, time, features] → [batch, time, width] */
  joinHeads(x: Value): Value {
    return this.reshape(this.transpose(x, [0, 2, 1, 3]), [0, 0, this.width]);
  }

  /** x/‖x‖ over the features; the zero vector stays. */
  unit(x: Value): Value {
    const norm = this.graph.add("ReduceL2", [x], { axes: [-1], keepdims: 1 });
    const isZero = this.graph.add("Equal", [norm, this.graph.floats(0)]);
    return this.graph.add("Div", [x, this.graph.add("Where", [isZero, this.graph.floats(1), norm])]);
  }

  /** Σ_j softmax_j(scale·q_i·k_j) v_j over j ≤ i − nearest; rows with nothing to read are 0. All [batch, heads, time, features]. */
  causalRead(queries: Value, keys: Value, values: Value, nearest: number, scale = 1): Value {
    const { allowed, factor } = this.#mask(nearest);
    const scores = this.scale(this.product(queries, this.transpose(keys, [0, 1, 3, 2])), scale);
    const masked = this.graph.add("Where", [allowed, scores, this.graph.floats(LOWEST)]);
    const weights = this.graph.add("Softmax", [masked], { axis: -1 });
    return this.product(nearest === 0 ? weights : this.multiply(weights, factor), values);
  }

  /** i − j for all pairs of positions: float [time, time]. */
  get distance(): Value {
    if (this.#distance !== undefined) return this.#distance;
    const { graph } = this;
    const count = graph.add("Squeeze", [this.time, graph.integers([0])]);
    const range = graph.add("Range", [graph.integers(0), count, graph.integers(1)]);
    const steps = graph.add("Cast", [range], { to: 1 });
    this.#distance = graph.add("Sub", [this.reshape(steps, [-1, 1]), this.reshape(steps, [1, -1])]);
    return this.#distance;
  }

  /** Which j ≤ i − nearest position i reads, as truth values and as ones and zeros: [time, time]. */
  #mask(nearest: number): { allowed: Value; factor: Value } {
    const known = this.#masks.get(nearest);
    if (known !== undefined) return known;
    const allowed = this.graph.add("GreaterOrEqual", [this.distance, this.graph.floats(nearest)]);
    const mask = { allowed, factor: this.graph.add("Cast", [allowed], { to: 1 }) };
    this.#masks.set(nearest, mask);
    return mask;
  }

  #lengthOf(tokens: Value): Value {
    return this.slice(this.graph.add("Shape", [tokens]), 0, 1, 2);
  }
}
