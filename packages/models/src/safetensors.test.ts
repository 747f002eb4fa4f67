import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "@jest/globals";
import { UserError } from "@mm/run";
import fc from "fast-check";
import { readSafetensors, writeSafetensors } from "./safetensors.js";
import { inPython, withPython } from "./testing/python.js";

const folder = mkdtempSync(join(tmpdir(), "safetensors-"));
const path = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

const { test: withLibrary, because } = withPython("safetensors.numpy");

describe("reading a file that Python's safetensors 0.8.0 wrote", () => {
  const file = readSafetensors(fileURLToPath(new URL("fixtures/written-by-python.safetensors", import.meta.url)));
  const values = (name: string) => Array.from(file.tensors[name]!.data as Float32Array);

  it("gives float32 bit for bit, subnormal and negative zero included", () => {
    expect(values("float32")).toEqual(Array.from(new Float32Array([1.5, -2, 0.1, 3e38, 1e-45, -0])));
    expect(file.tensors["float32"]!.shape).toEqual([2, 3]);
  });
  it("gives float64", () => expect(values("float64")).toEqual([Math.PI, -1e300]));
  it("widens half precision, subnormals and infinity included", () => {
    const expected = [1, -2.5, 65504, 2 ** -24, 1023 * 2 ** -24, Number.POSITIVE_INFINITY, -1364 / 4096];
    expect(values("float16")).toEqual(expected);
  });
  it("widens bfloat16", () => expect(values("bfloat16")).toEqual([1, -2.5, Number.POSITIVE_INFINITY, 0.333984375]));
  it("gives integers of every size, beyond 2^53 too", () => {
    expect(Array.from(file.tensors["int64"]!.data as BigInt64Array)).toEqual([-9007199254740993n, 7n]);
    expect(values("int32")).toEqual([-5, 2147483647]);
    expect(values("uint8")).toEqual([0, 255]);
    expect(values("bool")).toEqual([1, 0, 1]);
  });
  it("gives scalars and empty tensors", () => {
    expect(file.tensors["scalar"]).toEqual({ shape: [], data: new Float32Array([4.25]) });
    expect(file.tensors["empty"]).toEqual({ shape: [0, 3], data: new Float32Array(0) });
  });
  it("gives the metadata", () => {
    expect(file.metadata).toEqual({ origin: "safetensors for Python", greeting: "grüße" });
  });
});

describe("writing", () => {
  it("is read back equal, whatever the names, shapes and numbers", () => {
    const tensor = fc
      .tuple(fc.nat(4), fc.nat(4))
      .chain(([rows, columns]) =>
        fc
          .tuple(
            fc.constantFrom(Float32Array, Float64Array, Int32Array, Int16Array, Uint8Array),
            fc.array(fc.integer({ min: 0, max: 255 }), { minLength: rows * columns, maxLength: rows * columns }),
          )
          .map(([Kind, numbers]) => ({ shape: [rows, columns], data: Kind.from(numbers) })),
      );
    const name = fc.string({ minLength: 1 }).filter((text) => text !== "__metadata__" && text !== "__proto__");
    fc.assert(
      fc.property(fc.dictionary(name, tensor), fc.dictionary(name, fc.string()), (tensors, metadata) => {
        writeSafetensors(path("any"), tensors, metadata);
        const back = readSafetensors(path("any"));
        expect({ ...back.tensors }).toEqual({ ...tensors });
        expect({ ...back.metadata }).toEqual({ ...metadata });
      }),
      { numRuns: 30 },
    );
  });

  it("starts the numbers at a multiple of eight bytes", () => {
    writeSafetensors(path("aligned"), { a: { shape: [1], data: new Float32Array([1]) } });
    expect(Number(readFileSync(path("aligned")).readBigUInt64LE()) % 8).toBe(0);
  });

  withLibrary(`is read by Python's safetensors, values, types, order and metadata${because}`, () => {
    writeSafetensors(
      path("for-python"),
      {
        bytes: { shape: [3], data: new Uint8Array([1, 2, 255]) },
        matrix: { shape: [2, 2], data: new Float32Array([1, 2.5, -3, 1e-40]) },
        ids: { shape: [1, 2], data: new Int32Array([-7, 50256]) },
        long: { shape: [1], data: new BigInt64Array([-9007199254740993n]) },
        empty: { shape: [0, 4], data: new Float32Array(0) },
      },
      { format: "pt", note: "grüße" },
    );
    const program = `
import json, sys
from safetensors import safe_open
with safe_open(sys.argv[1], framework="np") as f:
    print(json.dumps({"metadata": f.metadata(), **{k: [str(f.get_tensor(k).dtype), list(f.get_tensor(k).shape),
        [str(x) for x in f.get_tensor(k).flatten().tolist()]] for k in f.keys()}}))`;
    expect(JSON.parse(inPython(program, path("for-python")))).toEqual({
      metadata: { format: "pt", note: "grüße" },
      bytes: ["uint8", [3], ["1", "2", "255"]],
      matrix: ["float32", [2, 2], ["1.0", "2.5", "-3.0", "9.99994610111476e-41"]],
      ids: ["int32", [1, 2], ["-7", "50256"]],
      long: ["int64", [1], ["-9007199254740993"]],
      empty: ["float32", [0, 4], []],
    });
  });

  it("refuses a shape that does not hold the numbers", () => {
    expect(() => writeSafetensors(path("bad"), { a: { shape: [3], data: new Float32Array(2) } })).toThrow("tensor a");
  });
});

describe("a file that is not what it should be", () => {
  const numbers = { a: { shape: [2], data: new Float32Array([1, 2]) } };
  const failure = (name: string) => {
    try {
      readSafetensors(path(name));
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      return (error as Error).message;
    }
    throw new Error("it was accepted");
  };
  const withHeader = (name: string, header: string, bytes: number) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
    writeFileSync(path(name), Buffer.concat([length, Buffer.from(header), Buffer.alloc(bytes)]));
  };

  it("may be missing", () => expect(failure("missing")).toMatch("there is no such file"));
  it("may be cut off", () => {
    writeSafetensors(path("cut"), numbers);
    truncateSync(path("cut"), readFileSync(path("cut")).length - 1);
    expect(failure("cut")).toMatch("expected 8 bytes of tensors, found 7");
  });
  it("may be empty", () => {
    writeFileSync(path("empty"), "");
    expect(failure("empty")).toMatch("found 0 bytes");
  });
  it("may be of another format", () => {
    writeFileSync(path("zip"), "PK\u0003\u0004 something else entirely");
    expect(failure("zip")).toMatch("expected a header within");
    withHeader("text", "hello!", 0);
    expect(failure("text")).toMatch("JSON");
    withHeader("list", "[1]", 0);
    expect(failure("list")).toMatch("JSON object");
  });
  it("may hold a dtype that we do not know", () => {
    withHeader("dtype", '{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}', 1);
    expect(failure("dtype")).toMatch("tensor a has the unknown dtype F4");
  });
  it("may have tensors that overlap, or do not fit their shape", () => {
    withHeader("shape", '{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}', 8);
    expect(failure("shape")).toMatch("tensor a at byte 0");
    const two =
      '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}';
    withHeader("overlap", two, 8);
    expect(failure("overlap")).toMatch("tensor b at byte 8");
  });
  it("may lack what describes a tensor", () => {
    withHeader("nothing", '{"a":null}', 0);
    expect(failure("nothing")).toMatch("shape and data_offsets of tensor a");
  });
});
