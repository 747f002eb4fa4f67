/** Complex numbers are two float32 tensors; Fourier transforms of their rows (cc/stock/fft.cc). */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { NativeBackend } from "../../backend.js";
import { kernel, type NativeKernel, sizeOf } from "../../kernel.js";
import { combine } from "./elementwise.js";
import { duplicate } from "./layout.js";
import { converted, fill } from "./sharing.js";

function transform(backend: NativeBackend, input: TensorInfo, inverse: boolean): TensorInfo {
  const { real, imag } = backend.complexParts(input);
  const [outReal, outImaginary] = [backend.output(input.shape), backend.output(input.shape)];
  const length = input.shape[input.shape.length - 1] ?? 1;
  if (sizeOf(input) > 0) {
    backend.run("fourierTransform", real, imag, outReal, outImaginary, sizeOf(input) / length, length, inverse);
  }
  return backend.complex(outReal, outImaginary);
}

export const complexKernels: readonly NativeKernel[] = [
  kernel<"real" | "imag">("Complex", ({ inputs: { real, imag }, backend }) =>
    backend.complex(converted(backend, real, "float32"), converted(backend, imag, "float32")),
  ),
  kernel<"input">("Real", ({ inputs: { input }, backend }) =>
    input.dtype === "complex64" ? duplicate(backend, backend.complexParts(input).real) : backend.share(input),
  ),
  kernel<"input">("Imag", ({ inputs: { input }, backend }) =>
    input.dtype === "complex64"
      ? duplicate(backend, backend.complexParts(input).imag)
      : fill(backend, input.shape, 0, "float32"),
  ),
  kernel<"x">("ComplexAbs", ({ inputs: { x }, backend }) => {
    const { real, imag } = backend.complexParts(x);
    return combine(backend, "hypot", real, imag);
  }),
  kernel<"input">("FFT", ({ inputs: { input }, backend }) => transform(backend, input, false)),
  kernel<"input">("IFFT", ({ inputs: { input }, backend }) => transform(backend, input, true)),
];
