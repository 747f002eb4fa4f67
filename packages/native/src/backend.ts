/**
 * The TF.js backend, of the CPU and of a GPU: tensors live in the addon's memory, found by address and counted by
 * reference. Reshape, Identity and casts share memory; nothing is ever written in place except by an optimizer step on
 * variables.
 */

import { UserError } from "@mm/run";
import {
  type backend_util,
  type DataId,
  DataStorage,
  type DataType,
  engine,
  KernelBackend,
  type TensorInfo,
  util,
} from "@tensorflow/tfjs";
import type { Addon, NativeArgument } from "./addon.js";
import { KernelProfile } from "./profile.js";

/** Precision of the inputs of matrix products; sums, statistics and the optimizer are fp32 in both. */
export type Precision = "fp32" | "bf16";

type Values = Float32Array | Int32Array | Uint8Array;

/** What stands behind a data id. */
interface Entry {
  /** of the first byte; 0 for strings and complex numbers */
  address: number;
  size: number;
  dtype: DataType;
  references: number;
  /** real and imaginary parts of complex64 */
  parts?: { real: TensorInfo; imag: TensorInfo };
  strings?: backend_util.BackendValues;
}

const arrayOf = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
const bytesPer = { float32: 4, int32: 4, bool: 1 } as const;

function isNumeric(dtype: DataType): dtype is keyof typeof arrayOf {
  return dtype in arrayOf;
}

export class NativeBackend extends KernelBackend {
  readonly profile = new KernelProfile();
  precision: Precision = "fp32";
  readonly #data: DataStorage<Entry>;

  constructor(readonly addon: Addon) {
    super();
    this.#data = new DataStorage(this, engine());
  }

  // ---- for kernels ----------------------------------------------------------------------------------------------------

  /** A new tensor, not cleared. */
  output(shape: number[], dtype: DataType = "float32"): TensorInfo {
    return { dataId: this.#create(util.sizeFromShape(shape), dtype), shape, dtype };
  }

  /** The same memory seen with another shape. */
  share(tensor: TensorInfo, shape = tensor.shape): TensorInfo {
    this.incRef(tensor.dataId);
    return { dataId: tensor.dataId, shape, dtype: tensor.dtype };
  }

  /** Where a tensor's numbers start. */
  address(tensor: TensorInfo): number {
    return this.#data.get(tensor.dataId).address;
  }

  /** Calls a C++ kernel; a tensor stands for its address, undefined for a null pointer. */
  run(kernel: string, ...values: (TensorInfo | NativeArgument | undefined)[]): number {
    const call = this.addon.kernels[kernel];
    if (call === undefined) throw new Error(`The addon has no kernel ${kernel}: is it listed in scripts/units.js?`);
    const result = call(...values.map((value) => this.#toArgument(value))) ?? 0;
    if (this.profile.isRunning) this.addon.synchronize();
    return result;
  }

  #toArgument(value: TensorInfo | NativeArgument | undefined): NativeArgument {
    if (value === undefined || value === null) return null;
    return typeof value === "object" && "dataId" in value ? this.address(value) : value;
  }

  /** Real and imaginary parts of a complex64 tensor; they belong to it. */
  complexParts(tensor: TensorInfo): { real: TensorInfo; imag: TensorInfo } {
    const { real, imag } = this.#data.get(tensor.dataId).parts!;
    return { real: { ...real, shape: tensor.shape }, imag: { ...imag, shape: tensor.shape } };
  }

  /** A complex64 tensor that takes over two float32 tensors. */
  complex(real: TensorInfo, imag: TensorInfo): TensorInfo {
    const dataId = {};
    const size = util.sizeFromShape(real.shape);
    this.#data.set(dataId, { address: 0, size, dtype: "complex64", references: 1, parts: { real, imag } });
    return { dataId, shape: real.shape, dtype: "complex64" };
  }

  /** Frees an intermediate tensor of a kernel. */
  free(...tensors: TensorInfo[]): void {
    for (const tensor of tensors) this.disposeData(tensor.dataId);
  }

  /** A copy of a tensor's numbers (or its strings). */
  values(tensor: TensorInfo): backend_util.BackendValues {
    return this.readSync(tensor.dataId);
  }

  // ---- KernelBackend --------------------------------------------------------------------------------------------------

  override write(values: backend_util.BackendValues | null, shape: number[], dtype: DataType): DataId {
    const dataId = this.#create(util.sizeFromShape(shape), dtype);
    if (values !== null) this.#fill(dataId, values, dtype);
    return dataId;
  }

  override move(
    dataId: DataId,
    values: backend_util.BackendValues,
    shape: number[],
    dtype: DataType,
    refCount: number,
  ): void {
    this.#create(util.sizeFromShape(shape), dtype, dataId);
    this.#data.get(dataId).references = refCount;
    if (dtype === "complex64") {
      const { real, imag } = values as unknown as { real: Float32Array; imag: Float32Array };
      this.#data.get(dataId).parts = { real: this.#tensor(real, shape), imag: this.#tensor(imag, shape) };
    } else if (values !== null) {
      this.#fill(dataId, values, dtype);
    }
  }

  override readSync(dataId: DataId): backend_util.BackendValues {
    const { address, size, dtype, parts, strings } = this.#data.get(dataId);
    if (strings !== undefined) return strings;
    if (parts !== undefined) {
      const [real, imag] = [this.values(parts.real) as Float32Array, this.values(parts.imag) as Float32Array];
      const mixed = new Float32Array(2 * size);
      for (let i = 0; i < size; i++) {
        mixed[2 * i] = real[i]!;
        mixed[2 * i + 1] = imag[i]!;
      }
      return mixed;
    }
    const values: Values = new arrayOf[dtype as keyof typeof arrayOf](size);
    this.addon.copyOut(address, values);
    return values;
  }

  /** Copies numbers into an array, as `copyInto` of @mm/ops asks for. */
  copyInto(dataId: DataId, into: Float32Array): void {
    this.addon.copyOut(this.#data.get(dataId).address, into);
  }

  override async read(dataId: DataId): Promise<backend_util.BackendValues> {
    return this.readSync(dataId);
  }

  override refCount(dataId: DataId): number {
    return this.#data.has(dataId) ? this.#data.get(dataId).references : 0;
  }

  override incRef(dataId: DataId): void {
    this.#data.get(dataId).references++;
  }

  decRef(dataId: DataId): void {
    if (this.#data.has(dataId)) this.#data.get(dataId).references--;
  }

  override disposeData(dataId: DataId, force = false): boolean {
    if (!this.#data.has(dataId)) return true;
    const entry = this.#data.get(dataId);
    entry.references--;
    if (!force && entry.references > 0) return false;
    if (entry.address !== 0) this.addon.release(entry.address);
    if (entry.parts !== undefined) this.free(entry.parts.real, entry.parts.imag);
    this.#data.delete(dataId);
    return true;
  }

  override numDataIds(): number {
    return this.#data.numDataIds();
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  override timerAvailable(): boolean {
    return true;
  }

  override async time(work: () => void): Promise<{ kernelMs: number }> {
    const begin = performance.now();
    work();
    this.addon.synchronize();
    return { kernelMs: performance.now() - begin };
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override dispose(): void {
    this.addon.releaseCache();
  }

  // ---- storage ----------------------------------------------------------------------------------------------------------

  #create(size: number, dtype: DataType, dataId: DataId = {}): DataId {
    const address = isNumeric(dtype) ? this.addon.allocate(size * bytesPer[dtype]) : 0;
    this.#data.set(dataId, { address, size, dtype, references: 1 });
    return dataId;
  }

  #fill(dataId: DataId, values: backend_util.BackendValues, dtype: DataType): void {
    const entry = this.#data.get(dataId);
    if (dtype === "string") {
      entry.strings = values;
      return;
    }
    if (!isNumeric(dtype)) {
      throw new UserError(`Expected numbers or strings for a tensor of the native backend but found ${dtype}.`, {
        hint: "Make complex numbers with tf.complex(real, imaginary).",
      });
    }
    const type = arrayOf[dtype];
    this.addon.copyIn(entry.address, values instanceof type ? values : type.from(values as ArrayLike<number>));
  }

  #tensor(values: Float32Array, shape: number[]): TensorInfo {
    return { dataId: this.write(values, shape, "float32"), shape, dtype: "float32" };
  }
}
