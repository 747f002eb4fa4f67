/** Shapes and attributes as the fused kernels pass them to C++. */
import type { DropoutAttributes } from "@mm/ops";
import type { TensorInfo } from "@tensorflow/tfjs";
import type { NativeBackend } from "../../backend.js";
import { sizeOf } from "../../kernel.js";

/** Key and threshold of a dropout mask, in the order of the C++ parameters. */
export function dropoutArguments({ dropoutKey: [key0, key1], dropoutThreshold }: DropoutAttributes): number[] {
  return [key0 >>> 0, key1 >>> 0, dropoutThreshold];
}

/** A tensor seen as rows × last axis. */
export function rowsAndColumns(x: TensorInfo): [rows: number, columns: number] {
  const columns = x.shape.at(-1) ?? 1;
  return [columns === 0 ? 0 : sizeOf(x) / columns, columns];
}

/** [batch, time, heads, width of a head] of a sequence tensor [B, T, C] and a vector [H]. */
export function headShape(
  x: TensorInfo,
  perHead: TensorInfo,
): [batch: number, time: number, heads: number, width: number] {
  const [batch, time, columns] = x.shape as [number, number, number];
  const heads = sizeOf(perHead);
  return [batch, time, heads, columns / heads];
}

export function usesBf16(backend: NativeBackend): boolean {
  return backend.precision === "bf16";
}
