/**
 * The memory of TF.js's WebAssembly backend, and the fast routines (XNNPACK's) that work on it.
 *
 * Places in memory are byte offsets. The memory may grow, and with it every typed array becomes invalid, whenever
 * something is allocated: allocate first, take views then.
 */
import * as tf from "@tensorflow/tfjs";
import type { KernelContract, KernelName } from "../../kernels.js";
import { PANEL, type ProductPanel, productPanelIn } from "../../webassembly/product-panel.js";

interface WasmBackend extends tf.KernelBackend {
  wasm: {
    HEAPU8: Uint8Array;
    asm: { memory: WebAssembly.Memory };
    _malloc(bytes: number): number;
    _free(offset: number): void;
    cwrap(name: string, result: null, parameters: ("number" | "array")[]): (...values: unknown[]) => void;
    tfjs: { registerTensor(id: number, size: number, offset: number): void; disposeData(id: number): void };
  };
  dataIdMap: { get(dataId: object): { memoryOffset: number } };
  makeOutput(shape: number[], dtype: tf.DataType): tf.TensorInfo;
  incRef(dataId: object): void;
}

/** A matrix in memory; element (r, c) stands r·rowStep + c·columnStep floats after its place. */
export interface Matrix {
  place: number;
  rows: number;
  columns: number;
  rowStep: number;
  columnStep: number;
}

/** A matrix stored row by row without gaps. */
export function matrix(place: number, rows: number, columns: number): Matrix {
  return { place, rows, columns, rowStep: columns, columnStep: 1 };
}

export function transposed({ place, rows, columns, rowStep, columnStep }: Matrix): Matrix {
  return { place, rows: columns, columns: rows, rowStep: columnStep, columnStep: rowStep };
}

/** Rows first … first+count−1. */
export function rowsOf(of: Matrix, first: number, count: number): Matrix {
  return { ...of, place: of.place + 4 * first * of.rowStep, rows: count };
}

/** Head `head` of x [rows, C], as [rows, D], where it stands. */
export function headOf(place: number, rows: number, width: number, depth: number, head: number): Matrix {
  return { place: place + 4 * head * depth, rows, columns: depth, rowStep: width, columnStep: 1 };
}

/** Terms that a product sums up in registers before it adds them to the result: keeps a panel in the first cache. */
const INNER = 256;
const TILE_ROWS = 64;

/** Ids by which XNNPACK's routines know our places in memory; the backend counts its own up from 1. */
const INPUT = 0x7fff_fff0;
const RESULT = INPUT + 1;

export class Heap {
  readonly #backend: WasmBackend;
  readonly #panel: ProductPanel;
  /** Scratch of `product`: a packed panel of the right side, and a tile of a result with fewer than eight columns. */
  readonly #packed: number;
  readonly #tile: number;
  #view: Float32Array = new Float32Array(0);
  readonly #softmax: (...values: unknown[]) => void;

  constructor(backend: tf.KernelBackend) {
    this.#backend = backend as WasmBackend;
    const { wasm } = this.#backend;
    const panel = productPanelIn(wasm.asm.memory);
    if (panel === undefined) throw new Error("this JavaScript engine has no WebAssembly SIMD");
    this.#panel = panel;
    this.#packed = wasm._malloc(4 * INNER * PANEL) >>> 0;
    this.#tile = wasm._malloc(4 * TILE_ROWS * PANEL) >>> 0;
    this.#softmax = wasm.cwrap("Softmax", null, ["number", "number", "number", "number"]);
  }

  /** A tensor for a result, its content arbitrary. */
  output(shape: number[], dtype: tf.DataType = "float32"): tf.TensorInfo {
    return this.#backend.makeOutput(shape, dtype);
  }

  /** The same data as another tensor. */
  share(tensor: tf.TensorInfo): tf.TensorInfo {
    this.#backend.incRef(tensor.dataId);
    return { dataId: tensor.dataId, shape: tensor.shape, dtype: tensor.dtype };
  }

  dispose(tensor: tf.TensorInfo): void {
    this.#backend.disposeData(tensor.dataId);
  }

  place(tensor: tf.TensorInfo): number {
    return this.#backend.dataIdMap.get(tensor.dataId).memoryOffset;
  }

  floats(at: tf.TensorInfo | number, length?: number): Float32Array {
    const offset = typeof at === "number" ? at : this.place(at);
    const count = length ?? tf.util.sizeFromShape((at as tf.TensorInfo).shape);
    return new Float32Array(this.#backend.wasm.HEAPU8.buffer, offset, count);
  }

  integers(tensor: tf.TensorInfo): Int32Array {
    const count = tf.util.sizeFromShape(tensor.shape);
    return new Int32Array(this.#backend.wasm.HEAPU8.buffer, this.place(tensor), count);
  }

  bytes(place: number, length: number): Uint8Array {
    return new Uint8Array(this.#backend.wasm.HEAPU8.buffer, place, length);
  }

  get memory(): WebAssembly.Memory {
    return this.#backend.wasm.asm.memory;
  }

  /** Runs `use` with scratch space for the given numbers of floats. */
  scratch<Result>(counts: number[], use: (...places: number[]) => Result): Result {
    const { wasm } = this.#backend;
    const places: number[] = [];
    try {
      for (const count of counts) {
        const place = wasm._malloc(Math.max(1, count) * 4) >>> 0;
        if (place === 0) throw new Error(`the memory of WebAssembly is exhausted: no room for ${count} more floats`);
        places.push(place);
      }
      return use(...places);
    } finally {
      for (const place of places) wasm._free(place);
    }
  }

  /** out = a·b, or out += a·b when `accumulate`. The columns of `out` are contiguous. */
  product(a: Matrix, b: Matrix, out: Matrix, accumulate = false): void {
    const [rows, inner, columns] = [a.rows, a.columns, b.columns];
    if (inner === 0 && !accumulate) this.#clear(out);
    for (let done = 0; done < inner; done += INNER) {
      const depth = Math.min(INNER, inner - done);
      const add = accumulate || done > 0;
      const aPlace = a.place + 4 * done * a.columnStep;
      for (let column = 0; column < columns; column += PANEL) {
        const bPlace = b.place + 4 * (done * b.rowStep + column * b.columnStep);
        const whole = column + PANEL <= columns;
        // With few rows packing the panel does not pay, where it can be read in place.
        const inPlace = whole && rows <= 64 && b.columnStep === 1;
        if (!inPlace) this.#pack(bPlace, b.rowStep, b.columnStep, depth, Math.min(PANEL, columns - column));
        const panel = inPlace ? bPlace : this.#packed;
        const panelStep = 4 * (inPlace ? b.rowStep : PANEL);
        const outPlace = out.place + 4 * column;
        const [aRow, aColumn, outRow] = [4 * a.rowStep, 4 * a.columnStep, 4 * out.rowStep];
        if (whole) {
          this.#panel(aPlace, aRow, aColumn, panel, panelStep, outPlace, outRow, rows, depth, add ? 1 : 0);
          continue;
        }
        for (let row = 0; row < rows; row += TILE_ROWS) {
          const count = Math.min(TILE_ROWS, rows - row);
          this.#panel(aPlace + row * aRow, aRow, aColumn, panel, panelStep, this.#tile, 4 * PANEL, count, depth, 0);
          this.#copyTile(outPlace + row * outRow, out.rowStep, count, columns - column, add);
        }
      }
    }
  }

  /** Up to eight columns of a right side, side by side, filled up with zeros. */
  #pack(place: number, rowStep: number, columnStep: number, depth: number, columns: number): void {
    const from = this.#all();
    const to = this.floats(this.#packed, depth * PANEL);
    const start = place / 4;
    if (columns < PANEL) to.fill(0);
    for (let i = 0; i < depth; i++) {
      for (let c = 0; c < columns; c++) to[i * PANEL + c] = from[start + i * rowStep + c * columnStep]!;
    }
  }

  #copyTile(place: number, rowStep: number, rows: number, columns: number, add: boolean): void {
    const from = this.floats(this.#tile, rows * PANEL);
    const to = this.#all();
    const start = place / 4;
    for (let row = 0; row < rows; row++) {
      for (let c = 0; c < columns; c++) {
        const at = start + row * rowStep + c;
        to[at] = add ? to[at]! + from[row * PANEL + c]! : from[row * PANEL + c]!;
      }
    }
  }

  #clear({ place, rows, columns, rowStep }: Matrix): void {
    for (let row = 0; row < rows; row++) this.floats(place + 4 * row * rowStep, columns).fill(0);
  }

  /** The whole memory as floats. */
  #all(): Float32Array {
    const { buffer } = this.#backend.wasm.HEAPU8;
    if (this.#view.buffer !== buffer) this.#view = new Float32Array(buffer);
    return this.#view;
  }

  /** Softmax along the columns of [rows, columns], in place. */
  softmax(at: number, rows: number, columns: number): void {
    const { tfjs } = this.#backend.wasm;
    tfjs.registerTensor(INPUT, rows * columns, at);
    tfjs.registerTensor(RESULT, rows * columns, at);
    this.#softmax(INPUT, RESULT, columns, rows);
    for (const id of [INPUT, RESULT]) tfjs.disposeData(id);
  }
}

let heap: Heap | undefined;

/** The heap of the wasm backend. */
export function heapOf(backend: unknown): Heap {
  heap ??= new Heap(backend as tf.KernelBackend);
  return heap;
}

type Infos<Inputs> = {
  [Key in keyof Inputs]: Inputs[Key] extends tf.Tensor ? tf.TensorInfo : tf.TensorInfo | undefined;
};

/** Registers one of our kernels for wasm. */
export function registerWasmKernel<Name extends KernelName>(
  kernelName: Name,
  run: (
    heap: Heap,
    inputs: Infos<KernelContract[Name]["inputs"]>,
    attrs: KernelContract[Name]["attrs"],
  ) => tf.TensorInfo[],
): void {
  tf.registerKernel({
    kernelName,
    backendName: "wasm",
    kernelFunc: ({ inputs, attrs, backend }) =>
      run(
        heapOf(backend),
        inputs as unknown as Infos<KernelContract[Name]["inputs"]>,
        attrs as unknown as KernelContract[Name]["attrs"],
      ),
  });
}

/** Replaces (or adds) a stock kernel of TF.js for wasm. */
export function replaceWasmKernel(
  kernelName: string,
  run: (heap: Heap, inputs: Record<string, tf.TensorInfo>, attrs: Record<string, unknown>) => tf.TensorInfo,
): void {
  if (tf.getKernel(kernelName, "wasm")) tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({
    kernelName,
    backendName: "wasm",
    kernelFunc: ({ inputs, attrs, backend }) =>
      run(heapOf(backend), inputs as Record<string, tf.TensorInfo>, attrs as Record<string, unknown>),
  });
}
