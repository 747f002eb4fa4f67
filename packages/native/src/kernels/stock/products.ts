/** Matrix products (cc/stock/matmul.cc). */
import { type backend_util, broadcast_util, type TensorInfo, util } from "@tensorflow/tfjs";
import type { NativeBackend } from "../../backend.js";
import { kernel, type NativeKernel, sizeOf } from "../../kernel.js";
import { combine, map } from "./elementwise.js";
import { broadcastStrides } from "./layout.js";
import { castTo } from "./sharing.js";

interface ProductAttributes {
  transposeA: boolean;
  transposeB: boolean;
}

/** For each matrix of the result, which matrix of an operand with the leading axes `own` it comes from. */
function matrixIndices(own: number[], batch: number[]): Int32Array {
  const strides = broadcastStrides(own, batch);
  const indices = new Int32Array(util.sizeFromShape(batch));
  for (let i = 0; i < indices.length; i++) {
    let rest = i;
    for (let axis = batch.length - 1; axis >= 0; axis--) {
      indices[i]! += (rest % batch[axis]!) * strides[axis]!;
      rest = Math.floor(rest / batch[axis]!);
    }
  }
  return indices;
}

/** a·b (+ bias[n]) over the last two axes, with the leading ones broadcast. */
export function multiplyMatrices(
  backend: NativeBackend,
  a: TensorInfo,
  b: TensorInfo,
  { transposeA, transposeB }: ProductAttributes,
  bias?: TensorInfo,
): TensorInfo {
  const [rowsA, columnsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, columnsB] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [n, depth] = transposeB ? [rowsB, columnsB] : [columnsB, rowsB];
  util.assert(
    k === depth,
    () =>
      `Error in matMul: inner shapes (${k}) and (${depth}) of Tensors with shapes ${a.shape} and ${b.shape} ` +
      `and transposeA=${transposeA} and transposeB=${transposeB} must match.`,
  );
  const leading = (tensor: TensorInfo) => tensor.shape.slice(0, -2);
  const batch = broadcast_util.assertAndGetBroadcastShape(leading(a), leading(b));
  const out = backend.output([...batch, m, n]);
  if (sizeOf(out) === 0) return out;
  const [left, right] = [castTo(backend, a, "float32"), castTo(backend, b, "float32")];
  const [fromA, fromB] = [matrixIndices(leading(a), batch), matrixIndices(leading(b), batch)];
  const bf16 = backend.precision === "bf16";
  backend.run("matMul", left, right, bias, out, fromA, fromB, fromA.length, m, n, k, transposeA, transposeB, bf16);
  backend.free(left, right);
  return out;
}

/** TF.js's names of activations that the products may end with. */
const activations: Partial<Record<backend_util.Activation, string>> = {
  relu: "relu",
  relu6: "relu6",
  elu: "elu",
  sigmoid: "sigmoid",
};

interface FusedAttributes extends ProductAttributes {
  activation?: backend_util.Activation;
  leakyreluAlpha?: number;
}

/** Replaces `tensor`, which is freed, by what `change` makes of it. */
function then(backend: NativeBackend, tensor: TensorInfo, change: (tensor: TensorInfo) => TensorInfo): TensorInfo {
  const changed = change(tensor);
  backend.free(tensor);
  return changed;
}

const fusedMatMul = kernel<"a" | "b" | "bias" | "preluActivationWeights", FusedAttributes>(
  "_FusedMatMul",
  ({ inputs: { a, b, bias, preluActivationWeights }, attrs, backend }) => {
    const columns = attrs.transposeB ? b.shape[b.shape.length - 2] : b.shape[b.shape.length - 1];
    const perColumn = bias !== undefined && sizeOf(bias) === columns && bias.shape[bias.shape.length - 1] === columns;
    let out = multiplyMatrices(backend, a, b, attrs, perColumn ? bias : undefined);
    if (bias !== undefined && !perColumn) out = then(backend, out, (x) => combine(backend, "add", x, bias));
    const { activation = "linear" } = attrs;
    const stem = activations[activation];
    if (stem !== undefined) return then(backend, out, (x) => map(backend, stem, x));
    if (activation === "prelu") return then(backend, out, (x) => combine(backend, "prelu", x, preluActivationWeights));
    if (activation === "leakyrelu") {
      return then(backend, out, (x) => map(backend, "leakyRelu", x, "float32", attrs.leakyreluAlpha ?? 0.2, 0));
    }
    return out;
  },
);

export const productKernels: readonly NativeKernel[] = [
  kernel<"a" | "b", ProductAttributes>("BatchMatMul", ({ inputs: { a, b }, attrs, backend }) => {
    const product = multiplyMatrices(backend, a, b, attrs);
    const bothInteger = a.dtype === "int32" && b.dtype === "int32";
    return bothInteger ? then(backend, product, (x) => castTo(backend, x, "int32")) : product;
  }),
  fusedMatMul,
];
