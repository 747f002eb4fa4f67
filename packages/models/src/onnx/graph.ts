/**
 * An ONNX graph under construction: nodes in the order in which they are computed, and the tensors that they start from.
 * A value is known by its name. The numbers of fields are those of onnx.proto (ONNX 1.12, opset 17).
 */
import { sizeOf } from "../parameters.js";
import { Message } from "./protobuf.js";

/** The name of a tensor in the graph. */
export type Value = string;
/** Sides of a shape; a name stands for any size. */
export type Dimensions = readonly (number | string)[];
/** Whole numbers become INT (or INTS) attributes, text STRING. ONNX's FLOAT attributes are in `{ float }`. */
export type Attribute = number | readonly number[] | string | { readonly float: number };

type Numbers = Float32Array | BigInt64Array;

/** TensorProto.DataType */
const FLOAT = 1;
const INT64 = 7;
/** The first versions that have LayerNormalization. */
const IR_VERSION = 8;
const OPSET = 17;

export class Graph {
  readonly #nodes: Message[] = [];
  readonly #tensors = new Map<Value, Message>();
  readonly #constants = new Map<string, Value>();
  readonly #inputs: Message[] = [];
  readonly #outputs: Message[] = [];

  /** An input of token ids: int64. */
  input(name: Value, shape: Dimensions): Value {
    this.#inputs.push(description(name, INT64, shape));
    return name;
  }

  /** A float output, which some node gives. */
  output(name: Value, shape: Dimensions): void {
    this.#outputs.push(description(name, FLOAT, shape));
  }

  /** A node with one output, which is named after its operator unless `as` says otherwise; "" leaves an input out. */
  add(operator: string, inputs: readonly Value[], attributes: Readonly<Record<string, Attribute>> = {}, as?: Value) {
    const name = as ?? `${operator}_${this.#nodes.length}`;
    const node = new Message();
    for (const input of inputs) node.text(1, input);
    node.text(2, name).text(3, name).text(4, operator);
    for (const [key, value] of Object.entries(attributes)) node.message(5, attribute(key, value));
    this.#nodes.push(node);
    return name;
  }

  /** A stored tensor under a name of its own; naming it twice stores it once. */
  tensor(name: Value, shape: readonly number[], data: Numbers): Value {
    if (sizeOf(shape) !== data.length)
      throw new Error(`${name}: shape [${shape}] does not hold ${data.length} numbers`);
    if (!this.#tensors.has(name)) this.#tensors.set(name, tensor(name, shape, data));
    return name;
  }

  /** A float constant: a scalar, or a vector of the given numbers. */
  floats(values: number | readonly number[]): Value {
    return this.#constant("float", values, (list) => Float32Array.from(list));
  }

  /** An int64 constant. */
  integers(values: number | readonly number[]): Value {
    return this.#constant("int", values, (list) => BigInt64Array.from(list, BigInt));
  }

  #constant(kind: string, values: number | readonly number[], numbers: (list: readonly number[]) => Numbers): Value {
    const key = `${kind} ${JSON.stringify(values)}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const [list, shape] = typeof values === "number" ? [[values], []] : [values, [values.length]];
    const name = this.tensor(`constant_${this.#constants.size}`, shape, numbers(list));
    this.#constants.set(key, name);
    return name;
  }

  /** The whole file: ModelProto. */
  toModel(name: string, metadata: Readonly<Record<string, string>>): Message {
    const graph = new Message();
    for (const node of this.#nodes) graph.message(1, node);
    graph.text(2, name);
    for (const stored of this.#tensors.values()) graph.message(5, stored);
    for (const input of this.#inputs) graph.message(11, input);
    for (const output of this.#outputs) graph.message(12, output);
    const model = new Message().integer(1, IR_VERSION).text(2, "mm").message(7, graph);
    model.message(8, new Message().text(1, "").integer(2, OPSET));
    for (const [key, value] of Object.entries(metadata)) model.message(14, new Message().text(1, key).text(2, value));
    return model;
  }
}

/** AttributeProto */
function attribute(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === "number") return message.integer(3, value).integer(20, 2);
  if (typeof value === "string") return message.text(4, value).integer(20, 3);
  if ("float" in value) return message.float(2, value.float).integer(20, 1);
  for (const one of value) message.integer(8, one);
  return message.integer(20, 7);
}

/** TensorProto */
function tensor(name: string, shape: readonly number[], data: Numbers): Message {
  const message = new Message();
  for (const side of shape) message.integer(1, side);
  message.integer(2, data instanceof Float32Array ? FLOAT : INT64).text(8, name);
  return message.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

/** ValueInfoProto */
function description(name: string, type: number, shape: Dimensions): Message {
  const sides = new Message();
  for (const side of shape)
    sides.message(1, typeof side === "number" ? new Message().integer(1, side) : new Message().text(2, side));
  const tensorType = new Message().integer(1, type).message(2, sides);
  return new Message().text(1, name).message(2, new Message().message(1, tensorType));
}
