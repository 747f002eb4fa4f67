/**
 * Reads an ONNX file and computes its output with stock TF.js, operator by operator as ONNX defines them: slow, plain, and
 * independent of how the graph was written. Only for the operators that `onnx/` writes.
 */
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";

/** Fields of a protobuf message by number: numbers, or bytes of whatever they hold. */
type Fields = Map<number, (bigint | Uint8Array)[]>;

export interface OnnxNode {
  operator: string;
  inputs: string[];
  output: string;
  attributes: Record<string, number | number[] | undefined>;
}

export interface OnnxFile {
  nodes: OnnxNode[];
  tensors: Record<string, { shape: number[]; data: Float32Array | BigInt64Array }>;
  inputs: string[];
  outputs: string[];
  metadata: Record<string, string>;
  opset: number;
}

export function readOnnx(path: string): OnnxFile {
  const model = fieldsOf(new Uint8Array(readFileSync(path)));
  const graph = fieldsOf(bytes(model, 7)[0]!);
  const named = (field: number) => bytes(graph, field).map((value) => text(fieldsOf(value), 1)[0]!);
  return {
    nodes: bytes(graph, 1).map(fieldsOf).map(nodeOf),
    tensors: Object.fromEntries(bytes(graph, 5).map(fieldsOf).map(tensorOf)),
    inputs: named(11),
    outputs: named(12),
    metadata: Object.fromEntries(
      bytes(model, 14).map((entry) => [text(fieldsOf(entry), 1)[0]!, text(fieldsOf(entry), 2)[0]!]),
    ),
    opset: numbers(fieldsOf(bytes(model, 8)[0]!), 2)[0]!,
  };
}

/** The value of the file's first output. */
export function runOnnx(file: OnnxFile, tokens: tf.Tensor2D): tf.Tensor {
  return tf.tidy(() => {
    const values = new Map<string, tf.Tensor>([["tokens", tokens]]);
    for (const [name, { shape, data }] of Object.entries(file.tensors))
      values.set(
        name,
        data instanceof Float32Array ? tf.tensor(data, shape) : tf.tensor(Array.from(data, Number), shape, "int32"),
      );
    for (const { operator, inputs, output, attributes } of file.nodes) {
      const operation = OPERATORS[operator];
      if (operation === undefined) throw new Error(`no definition of ${operator}`);
      values.set(output, operation(inputs.map((name) => values.get(name)!) as tf.Tensor[], attributes));
    }
    return values.get(file.outputs[0]!)!;
  });
}

type Operator = (inputs: tf.Tensor[], attributes: OnnxNode["attributes"]) => tf.Tensor;

const list = (x: tf.Tensor) => Array.from(x.dataSync());
const vector = (values: number[]) => tf.tensor1d(values, "int32");

const OPERATORS: Record<string, Operator> = {
  Abs: ([x]) => tf.abs(x!),
  Add: ([a, b]) => tf.add(a!, b!),
  Cast: ([x]) => tf.cast(x!, "float32"),
  Conv: ([x, weight, bias], { pads }) => {
    const [before] = pads as number[];
    const rows = tf.pad(tf.transpose(x as tf.Tensor3D, [0, 2, 1]), [
      [0, 0],
      [before!, 0],
      [0, 0],
    ]) as tf.Tensor3D;
    const y = tf.conv1d(rows, tf.transpose(weight as tf.Tensor3D, [2, 1, 0]), 1, "valid");
    return tf.transpose(bias === undefined ? y : tf.add(y, bias), [0, 2, 1]);
  },
  Div: ([a, b]) => tf.div(a!, b!),
  Equal: ([a, b]) => tf.equal(a!, b!),
  Exp: ([x]) => tf.exp(x!),
  Gather: ([table, indices]) => tf.gather(table!, tf.cast(indices!, "int32")),
  GreaterOrEqual: ([a, b]) => tf.greaterEqual(a!, b!),
  LayerNormalization: ([x, weight, bias], { epsilon }) => {
    const { mean, variance } = tf.moments(x!, -1, true);
    const y = tf.mul(tf.div(tf.sub(x!, mean), tf.sqrt(tf.add(variance, epsilon as number))), weight!);
    return bias === undefined ? y : tf.add(y, bias);
  },
  MatMul: ([a, b]) => {
    if (b!.rank > 2) return tf.matMul(a!, b!);
    const flat = tf.matMul(tf.reshape(a!, [-1, a!.shape[a!.rank - 1]!]), b as tf.Tensor2D);
    return tf.reshape(flat, [...a!.shape.slice(0, -1), b!.shape[1]!]);
  },
  Min: ([a, b]) => tf.minimum(a!, b!),
  Mul: ([a, b]) => tf.mul(a!, b!),
  Neg: ([x]) => tf.neg(x!),
  Pad: ([x, pads]) => {
    const sides = list(pads!);
    return tf.pad(
      x!,
      x!.shape.map((_, axis) => [sides[axis]!, sides[x!.rank + axis]!] as [number, number]),
    );
  },
  Range: ([start, end, step]) => tf.range(list(start!)[0]!, list(end!)[0]!, list(step!)[0]!, "int32"),
  ReduceL2: ([x], { axes }) => tf.sqrt(tf.sum(tf.square(x!), axes as number[], true)),
  Reshape: ([x, shape]) =>
    tf.reshape(
      x!,
      list(shape!).map((side, axis) => (side === 0 ? x!.shape[axis]! : side)),
    ),
  Shape: ([x]) => vector(x!.shape),
  Slice: ([x, starts, ends, axes]) => {
    const [[start], [end], [axis]] = [list(starts!), list(ends!), list(axes!)] as [[number], [number], [number]];
    const begin = x!.shape.map((_, i) => (i === axis ? Math.min(start, x!.shape[i]!) : 0));
    const size = x!.shape.map((side, i) => (i === axis ? Math.max(0, Math.min(end, side) - begin[i]!) : side));
    return tf.slice(x!, begin, size);
  },
  Softmax: ([x]) => tf.softmax(x!, -1),
  Squeeze: ([x, axes]) => tf.squeeze(x!, list(axes!)),
  Sub: ([a, b]) => tf.sub(a!, b!),
  Tanh: ([x]) => tf.tanh(x!),
  Transpose: ([x], { perm }) => tf.transpose(x!, perm as number[]),
  Where: ([condition, a, b]) => tf.where(condition!, a!, b!),
};

function nodeOf(node: Fields): OnnxNode {
  const attributes = bytes(node, 5).map(fieldsOf).map(attributeOf);
  return {
    operator: text(node, 4)[0]!,
    inputs: text(node, 1),
    output: text(node, 2)[0]!,
    attributes: Object.fromEntries(attributes),
  };
}

function attributeOf(attribute: Fields): [string, number | number[] | undefined] {
  const [name] = text(attribute, 1);
  const float = bytes(attribute, 2)[0];
  if (float !== undefined) return [name!, new DataView(float.slice().buffer).getFloat32(0, true)];
  const several = numbers(attribute, 8);
  return [name!, several.length > 0 ? several : numbers(attribute, 3)[0]];
}

function tensorOf(tensor: Fields): [string, { shape: number[]; data: Float32Array | BigInt64Array }] {
  const { buffer } = bytes(tensor, 9)[0]!.slice();
  const data = numbers(tensor, 2)[0] === 1 ? new Float32Array(buffer) : new BigInt64Array(buffer);
  return [text(tensor, 8)[0]!, { shape: numbers(tensor, 1), data }];
}

const bytes = (fields: Fields, field: number) => (fields.get(field) ?? []) as Uint8Array[];
const text = (fields: Fields, field: number) => bytes(fields, field).map((value) => new TextDecoder().decode(value));
const numbers = (fields: Fields, field: number) =>
  ((fields.get(field) ?? []) as bigint[]).map((value) => Number(BigInt.asIntN(64, value)));

function fieldsOf(message: Uint8Array): Fields {
  const fields: Fields = new Map();
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const header = Number(varint());
    let value: bigint | Uint8Array;
    if ((header & 7) === 0) value = varint();
    else {
      const length = (header & 7) === 5 ? 4 : Number(varint());
      value = message.subarray(at, at + length);
      at += length;
    }
    fields.set(header >> 3, [...(fields.get(header >> 3) ?? []), value]);
  }
  return fields;
}
