/**
 * The safetensors format: eight bytes with the length of a JSON header, the header, and the tensors' bytes, all little
 * endian. Header: name → { dtype, shape, data_offsets: [begin, end) } relative to the end of the header, and optionally
 * `__metadata__`, a flat table of strings. Files written here are read by Python's library and the other way round.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { explainFileError, UserError } from "@mm/run";
import { sizeOf } from "./parameters.js";
import { LARGEST_TRANSFER, writePieces } from "./write-pieces.js";

export type SafetensorsData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** A tensor in memory. Half precision numbers (F16, BF16) are widened to Float32Array when read. */
export interface SafetensorsTensor {
  readonly shape: readonly number[];
  readonly data: SafetensorsData;
}

export interface SafetensorsFile {
  readonly tensors: Record<string, SafetensorsTensor>;
  readonly metadata: Record<string, string>;
}

interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const LENGTH_BYTES = 8;
/** The header is padded with spaces to this multiple, so that numbers lie aligned in a mapped file. */
const ALIGNMENT = 8;
/** As in the reference implementation: a longer header is taken for a damaged file. */
const LONGEST_HEADER = 100_000_000;

/** What a dtype's bytes become. */
const READERS: Record<string, { bytes: number; view(buffer: ArrayBuffer): SafetensorsData }> = {
  F64: { bytes: 8, view: (buffer) => new Float64Array(buffer) },
  F32: { bytes: 4, view: (buffer) => new Float32Array(buffer) },
  F16: { bytes: 2, view: (buffer) => Float32Array.from(new Uint16Array(buffer), fromHalf) },
  BF16: { bytes: 2, view: (buffer) => fromBrainFloats(new Uint16Array(buffer)) },
  I64: { bytes: 8, view: (buffer) => new BigInt64Array(buffer) },
  I32: { bytes: 4, view: (buffer) => new Int32Array(buffer) },
  I16: { bytes: 2, view: (buffer) => new Int16Array(buffer) },
  I8: { bytes: 1, view: (buffer) => new Int8Array(buffer) },
  U64: { bytes: 8, view: (buffer) => new BigUint64Array(buffer) },
  U32: { bytes: 4, view: (buffer) => new Uint32Array(buffer) },
  U16: { bytes: 2, view: (buffer) => new Uint16Array(buffer) },
  U8: { bytes: 1, view: (buffer) => new Uint8Array(buffer) },
  BOOL: { bytes: 1, view: (buffer) => new Uint8Array(buffer) },
};

const DTYPES: Record<string, string> = {
  Float64Array: "F64",
  Float32Array: "F32",
  BigInt64Array: "I64",
  Int32Array: "I32",
  Int16Array: "I16",
  Int8Array: "I8",
  BigUint64Array: "U64",
  Uint32Array: "U32",
  Uint16Array: "U16",
  Uint8Array: "U8",
};

/**
 * Reads the tensors of a safetensors file, or only those whose names `wanted` accepts.
 *
 * @throws UserError when the file is missing, damaged or of an unknown dtype
 */
export function readSafetensors(path: string, wanted: (name: string) => boolean = () => true): SafetensorsFile {
  const file = openForReading(path);
  try {
    const { entries, metadata, start } = readHeader(file, path);
    const tensors: Record<string, SafetensorsTensor> = {};
    for (const [name, { dtype, shape, data_offsets }] of Object.entries(entries)) {
      if (!wanted(name)) continue;
      const [begin, end] = data_offsets;
      const bytes = readBytes(file, start + begin, end - begin, path);
      tensors[name] = { shape, data: READERS[dtype]!.view(bytes) };
    }
    return { tensors, metadata };
  } finally {
    closeSync(file);
  }
}

/** Writes tensors and metadata as one safetensors file, atomically, in the order given (wide numbers first). */
export function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, SafetensorsTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const ordered = Object.entries(tensors).sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const header: Record<string, HeaderEntry> = {};
  let offset = 0;
  for (const [name, { shape, data }] of ordered) {
    if (sizeOf(shape) !== data.length)
      throw new Error(`tensor ${name}: shape [${shape}] does not hold ${data.length} numbers`);
    header[name] = {
      dtype: DTYPES[data.constructor.name]!,
      shape: [...shape],
      data_offsets: [offset, offset + data.byteLength],
    };
    offset += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify({ __metadata__: metadata, ...header }));
  const padded = new Uint8Array(Math.ceil(text.length / ALIGNMENT) * ALIGNMENT).fill(0x20);
  padded.set(text);
  const length = new Uint8Array(new BigUint64Array([BigInt(padded.length)]).buffer);

  const numbers = ordered.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  writePieces(path, [length, padded, ...numbers]);
}

function openForReading(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    throw explainFileError(error, path);
  }
}

function readHeader(file: number, path: string) {
  const size = fstatSync(file).size;
  if (size < LENGTH_BYTES) throw damaged(path, `a header, found ${size} bytes`);
  const length = Number(new BigUint64Array(readBytes(file, 0, LENGTH_BYTES, path))[0]);
  if (length > LONGEST_HEADER || LENGTH_BYTES + length > size)
    throw damaged(path, `a header within the ${size} bytes of the file, found one of ${length} bytes`);
  const start = LENGTH_BYTES + length;
  const { __metadata__: metadata = {}, ...entries } = parseHeader(readBytes(file, LENGTH_BYTES, length, path), path);
  checkLayout(entries, size - start, path);
  return { entries, metadata: metadata as Record<string, string>, start };
}

function parseHeader(bytes: ArrayBuffer, path: string): Record<string, HeaderEntry> & { __metadata__?: unknown } {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw damaged(path, "a JSON header, found other bytes");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header))
    throw damaged(path, "a JSON object as header");
  return header as Record<string, HeaderEntry>;
}

/** Every tensor's bytes fit its shape, and together they fill the file without gap or overlap. */
function checkLayout(entries: Record<string, HeaderEntry>, available: number, path: string): void {
  let expected = 0;
  const inOrder = Object.entries(entries).sort(([, a], [, b]) => a.data_offsets?.[0] - b.data_offsets?.[0]);
  for (const [name, entry] of inOrder) {
    if (!Array.isArray(entry?.shape) || !Array.isArray(entry.data_offsets))
      throw damaged(path, `shape and data_offsets of tensor ${name}`);
    const reader = READERS[entry.dtype];
    if (reader === undefined)
      throw new UserError(`Cannot read ${path}: tensor ${name} has the unknown dtype ${entry.dtype}.`, {
        hint: `Convert it to one of ${Object.keys(READERS).join(", ")}.`,
      });
    const [begin, end] = entry.data_offsets;
    if (begin !== expected || end - begin !== sizeOf(entry.shape) * reader.bytes)
      throw damaged(
        path,
        `tensor ${name} at byte ${expected} with shape [${entry.shape}], found bytes ${begin}–${end}`,
      );
    expected = end;
  }
  if (expected !== available) throw damaged(path, `${expected} bytes of tensors, found ${available}`);
}

function damaged(path: string, expected: string): UserError {
  return new UserError(`Cannot read ${path} as safetensors: expected ${expected}.`, {
    hint: "The file is damaged, incomplete or of another format: copy or write it again.",
  });
}

function readBytes(file: number, from: number, length: number, path: string): ArrayBuffer {
  const bytes = new Uint8Array(new ArrayBuffer(length));
  for (let at = 0; at < length; ) {
    const count = readSync(file, bytes, at, Math.min(LARGEST_TRANSFER, length - at), from + at);
    if (count === 0) throw damaged(path, `${length} bytes from byte ${from}, found ${at}`);
    at += count;
  }
  return bytes.buffer;
}

/** IEEE half precision: sign, 5 exponent bits (bias 15), 10 fraction bits. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** bfloat16 is the upper half of a float32. */
function fromBrainFloats(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (bits) => bits << 16).buffer);
}
