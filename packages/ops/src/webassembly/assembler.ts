/**
 * A WebAssembly assembler for the few small functions where JavaScript lacks the instructions (64-bit products, SIMD).
 * Code is an array of bytes; instructions take their operands from the stack, so an expression reads in postfix order.
 */

/** Unsigned LEB128. */
const unsigned = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]);
/** Signed LEB128. */
const signed = (value: number): number[] =>
  value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)];
const simd = (opcode: number) => [0xfd, ...unsigned(opcode)];
const text = (name: string) => [name.length, ...new TextEncoder().encode(name)];
const section = (id: number, content: number[]) => [id, ...unsigned(content.length), ...content];

export const i32 = 0x7f;
export const f32 = 0x7d;
export const v128 = 0x7b;

export const get = (local: number) => [0x20, ...unsigned(local)];
export const set = (local: number) => [0x21, ...unsigned(local)];
export const tee = (local: number) => [0x22, ...unsigned(local)];

export const constant = (value: number) => [0x41, ...signed(value | 0)];
export const add = [0x6a];
export const multiply = [0x6c];
export const shiftLeft = [0x74];
export const lessThan = [0x48];
/** local += what the code leaves on the stack */
export const increase = (local: number, by: number[]) => [...get(local), ...by, ...add, ...set(local)];

export const block = (body: number[]) => [0x02, 0x40, ...body, 0x0b];
export const loop = (body: number[]) => [0x03, 0x40, ...body, 0x0b];
export const when = (body: number[]) => [0x04, 0x40, ...body, 0x0b];
/** Jumps to the start of the enclosing loop, or the end of the enclosing block, `depth` levels out. */
export const branch = (depth: number) => [0x0c, depth];
export const branchIf = (depth: number) => [0x0d, depth];

export const loadVector = (offset: number) => [...simd(0x00), 2, ...unsigned(offset)];
/** One float, in all four places. */
export const loadSplat = (offset: number) => [...simd(0x09), 2, ...unsigned(offset)];
export const storeVector = (offset: number) => [...simd(0x0b), 2, ...unsigned(offset)];
export const vector = (...words: number[]) => [...simd(0x0c), ...new Uint8Array(new Uint32Array(words).buffer)];
/** Four of the eight 32-bit words of two vectors. */
export const pick = (...words: number[]) => [
  ...simd(0x0d),
  ...words.flatMap((word) => [0, 1, 2, 3].map((byte) => 4 * word + byte)),
];
export const splatHalves = simd(0x10);
export const splatWords = simd(0x11);
export const splatFloats = simd(0x13);
export const halvesAtLeast = simd(0x36);
export const and = simd(0x4e);
export const xor = simd(0x51);
export const wordsFromLowHalves = simd(0xa7);
export const wordsFromHighHalves = simd(0xa8);
export const addWords = simd(0xae);
/** 64-bit products of the first (last) two 32-bit words of two vectors. */
export const productsLow = simd(0xde);
export const productsHigh = simd(0xdf);
export const addFloats = simd(0xe4);
export const multiplyFloats = simd(0xe6);

/**
 * A module that exports one function without result, over an imported memory (`mm.memory`).
 *
 * @param parameters their types; the parameters are locals 0, 1, …
 * @param locals types of further locals, numbered on
 */
export function assemble(
  name: string,
  parameters: number[],
  locals: number[],
  body: number[],
): Uint8Array<ArrayBuffer> {
  const code = [...unsigned(locals.length), ...locals.flatMap((type) => [1, type]), ...body, 0x0b];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, parameters.length, ...parameters, 0]),
    ...section(2, [1, ...text("mm"), ...text("memory"), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text(name), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
}

/** The function of a module from `assemble`, over the given memory; undefined where the engine lacks its instructions. */
export function instantiate(name: string, code: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory): unknown {
  if (!WebAssembly.validate(code)) return undefined;
  return new WebAssembly.Instance(new WebAssembly.Module(code), { mm: { memory } }).exports[name];
}
