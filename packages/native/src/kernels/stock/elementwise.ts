/**
 * Elementwise kernels as tables: TF.js's name → the C++ function's stem (cc/stock/binary.cc, unary.cc), which ends with
 * the type of its operands: Float, Int or Bool.
 */
import { backend_util, type DataType, type TensorInfo, util } from "@tensorflow/tfjs";
import type { NativeBackend } from "../../backend.js";
import { kernel, type NativeKernel, sizeOf } from "../../kernel.js";
import { broadcastStrides, mergeAxes, packView } from "./layout.js";
import { castTo } from "./sharing.js";

const suffix = { float32: "Float", int32: "Int", bool: "Bool" } as const;

function typed(stem: string, dtype: DataType): string {
  return stem + suffix[dtype as keyof typeof suffix];
}

// ---- two operands -----------------------------------------------------------------------------------------------------

/** Results of the operands' type; "float" kernels take and give float32 alone. */
const arithmetic: Record<string, { stem: string; operands?: "float" }> = {
  Add: { stem: "add" },
  Sub: { stem: "sub" },
  Multiply: { stem: "multiply" },
  RealDiv: { stem: "realDiv", operands: "float" },
  FloorDiv: { stem: "floorDiv" },
  Mod: { stem: "mod" },
  Pow: { stem: "pow" },
  Maximum: { stem: "maximum" },
  Minimum: { stem: "minimum" },
  SquaredDifference: { stem: "squaredDifference" },
  Atan2: { stem: "atan2", operands: "float" },
};
const comparisons: Record<string, string> = {
  Equal: "equal",
  NotEqual: "notEqual",
  Less: "less",
  LessEqual: "lessEqual",
  Greater: "greater",
  GreaterEqual: "greaterEqual",
};

/** Runs the C++ function `stem` on a and b with broadcasting; `free`s nothing. */
export function combine(
  backend: NativeBackend,
  stem: string,
  a: TensorInfo,
  b: TensorInfo,
  result: DataType = a.dtype,
): TensorInfo {
  const shape = backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
  const out = backend.output(shape, result);
  if (sizeOf(out) === 0) return out;
  const view = util.arraysEqual(a.shape, b.shape)
    ? { shape: [sizeOf(out)], first: [1], second: [1] }
    : mergeAxes({ shape, first: broadcastStrides(a.shape, shape), second: broadcastStrides(b.shape, shape) });
  // A single element per operand: the view was merged away.
  backend.run(typed(stem, a.dtype), a, b, out, packView(view), view.shape.length);
  return out;
}

/** The same after converting both operands to `dtype`. */
function combineAs(
  backend: NativeBackend,
  stem: string,
  a: TensorInfo,
  b: TensorInfo,
  dtype: DataType,
  result: DataType = dtype,
): TensorInfo {
  const [left, right] = [castTo(backend, a, dtype), castTo(backend, b, dtype)];
  const out = combine(backend, stem, left, right, result);
  backend.free(left, right);
  return out;
}

/** The type to compute in: bool counts as int32. */
function numeric(a: TensorInfo, b: TensorInfo): DataType {
  return a.dtype === "float32" || b.dtype === "float32" ? "float32" : "int32";
}

/** Sums, differences and products of complex numbers from those of their parts. */
function combineComplex(backend: NativeBackend, name: string, a: TensorInfo, b: TensorInfo): TensorInfo {
  const [x, y] = [backend.complexParts(a), backend.complexParts(b)];
  if (name === "Add" || name === "Sub") {
    const stem = name === "Add" ? "add" : "sub";
    return backend.complex(combine(backend, stem, x.real, y.real), combine(backend, stem, x.imag, y.imag));
  }
  if (name !== "Multiply")
    throw new Error(`${name} is not defined for complex64 tensors here: use Add, Sub, Multiply.`);
  const products = [
    combine(backend, "multiply", x.real, y.real),
    combine(backend, "multiply", x.imag, y.imag),
    combine(backend, "multiply", x.real, y.imag),
    combine(backend, "multiply", x.imag, y.real),
  ] as const;
  const real = combine(backend, "sub", products[0], products[1]);
  const imag = combine(backend, "add", products[2], products[3]);
  backend.free(...products);
  return backend.complex(real, imag);
}

const binaryKernels: NativeKernel[] = [
  ...Object.entries(arithmetic).map(([name, { stem, operands }]) =>
    kernel<"a" | "b">(name, ({ inputs: { a, b }, backend }) =>
      a.dtype === "complex64" || b.dtype === "complex64"
        ? combineComplex(backend, name, a, b)
        : combineAs(backend, stem, a, b, operands === "float" ? "float32" : numeric(a, b)),
    ),
  ),
  ...Object.entries(comparisons).map(([name, stem]) =>
    kernel<"a" | "b">(name, ({ inputs: { a, b }, backend }) => combineAs(backend, stem, a, b, numeric(a, b), "bool")),
  ),
  ...(["LogicalAnd", "LogicalOr"] as const).map((name) =>
    kernel<"a" | "b">(name, ({ inputs: { a, b }, backend }) =>
      combineAs(backend, name === "LogicalAnd" ? "logicalAnd" : "logicalOr", a, b, "bool"),
    ),
  ),
  kernel<"a" | "b">("BitwiseAnd", ({ inputs: { a, b }, backend }) => combine(backend, "bitwiseAnd", a, b)),
  kernel<"x" | "alpha">("Prelu", ({ inputs: { x, alpha }, backend }) =>
    combineAs(backend, "prelu", x, alpha, "float32"),
  ),
  kernel<"dy" | "y">("EluGrad", ({ inputs: { dy, y }, backend }) => combine(backend, "eluGrad", dy, y)),
];

// ---- one operand ------------------------------------------------------------------------------------------------------

/** float32 in, float32 out; integers are converted first. */
const functions: Record<string, string> = {
  Sqrt: "sqrt",
  Rsqrt: "rsqrt",
  Reciprocal: "reciprocal",
  Exp: "exp",
  Expm1: "expm1",
  Log: "log",
  Log1p: "log1p",
  Tanh: "tanh",
  Sigmoid: "sigmoid",
  Softplus: "softplus",
  Elu: "elu",
  Selu: "selu",
  Sin: "sin",
  Cos: "cos",
  Tan: "tan",
  Asin: "asin",
  Acos: "acos",
  Atan: "atan",
  Sinh: "sinh",
  Cosh: "cosh",
  Asinh: "asinh",
  Acosh: "acosh",
  Atanh: "atanh",
  Erf: "erf",
};
/** Results of the operand's type, float32 or int32. */
const sameType: Record<string, string> = {
  Abs: "abs",
  Neg: "neg",
  Square: "square",
  Sign: "sign",
  Relu: "relu",
  Relu6: "relu6",
};
/** Of integers these are the integers themselves. */
const roundings: Record<string, string> = { Floor: "floor", Ceil: "ceil", Round: "round" };
const questions: Record<string, string> = { IsNan: "isNan", IsInf: "isInf", IsFinite: "isFinite" };

/** Runs the C++ function `stem` on x. */
export function map(
  backend: NativeBackend,
  stem: string,
  x: TensorInfo,
  result: DataType = x.dtype,
  ...parameters: number[]
): TensorInfo {
  const out = backend.output(x.shape, result);
  backend.run(typed(stem, x.dtype), x, out, sizeOf(x), ...parameters);
  return out;
}

/** The same after converting x to `dtype`. */
export function mapAs(
  backend: NativeBackend,
  stem: string,
  x: TensorInfo,
  dtype: DataType,
  result: DataType = dtype,
  ...parameters: number[]
): TensorInfo {
  const operand = castTo(backend, x, dtype);
  const out = map(backend, stem, operand, result, ...parameters);
  backend.free(operand);
  return out;
}

/** The same in float32, the result converted back to the type of x. */
function mapInFloat(backend: NativeBackend, stem: string, x: TensorInfo, ...parameters: number[]): TensorInfo {
  const result = mapAs(backend, stem, x, "float32", "float32", ...parameters);
  const out = castTo(backend, result, x.dtype);
  backend.free(result);
  return out;
}

const unary = (
  table: Record<string, string>,
  compute: (backend: NativeBackend, stem: string, x: TensorInfo) => TensorInfo,
) =>
  Object.entries(table).map(([name, stem]) =>
    kernel<"x">(name, ({ inputs: { x }, backend }) => compute(backend, stem, x)),
  );

const unaryKernels: NativeKernel[] = [
  ...unary(functions, (backend, stem, x) => mapAs(backend, stem, x, "float32")),
  ...unary(sameType, (backend, stem, x) => mapAs(backend, stem, x, x.dtype === "float32" ? "float32" : "int32")),
  ...unary(roundings, (backend, stem, x) => (x.dtype === "float32" ? map(backend, stem, x) : backend.share(x))),
  ...unary(questions, (backend, stem, x) => mapAs(backend, stem, x, "float32", "bool")),
  kernel<"x">("LogicalNot", ({ inputs: { x }, backend }) => mapAs(backend, "logicalNot", x, "bool")),
  kernel<"x", { alpha: number }>("Step", ({ inputs: { x }, attrs, backend }) =>
    mapInFloat(backend, "step", x, attrs.alpha, 0),
  ),
  kernel<"x", { alpha: number }>("LeakyRelu", ({ inputs: { x }, attrs, backend }) =>
    mapAs(backend, "leakyRelu", x, "float32", "float32", attrs.alpha, 0),
  ),
  kernel<"x", { clipValueMin: number; clipValueMax: number }>("ClipByValue", ({ inputs: { x }, attrs, backend }) =>
    mapInFloat(backend, "clip", x, attrs.clipValueMin, attrs.clipValueMax),
  ),
];

// ---- more operands ----------------------------------------------------------------------------------------------------

const addN = kernel("AddN", ({ inputs, backend }) => {
  const terms = Object.values(inputs as Record<string, TensorInfo>);
  return terms.slice(1).reduce((total, term) => {
    const next = combine(backend, "add", total, term);
    backend.free(total);
    return next;
  }, backend.share(terms[0]!));
});

const select = kernel<"condition" | "t" | "e">("Select", ({ inputs: { condition, t, e }, backend }) => {
  const out = backend.output(t.shape, t.dtype);
  const size = sizeOf(t);
  // A condition of lower rank chooses whole parts along the leading axis.
  if (size > 0) {
    backend.run(
      t.dtype === "bool" ? "selectBytes" : "selectWords",
      condition,
      t,
      e,
      out,
      size,
      size / sizeOf(condition),
    );
  }
  return out;
});

export const elementwiseKernels: readonly NativeKernel[] = [...binaryKernels, ...unaryKernels, addN, select];
