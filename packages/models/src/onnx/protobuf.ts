/**
 * Protocol Buffers' wire format, as far as writing needs it: a field is its number and kind in one varint, then its
 * content. A message is a list of pieces, so that the bytes of large tensors are never copied.
 */

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

export class Message {
  readonly pieces: Uint8Array[] = [];
  /** Bytes of all pieces. */
  length = 0;

  integer(field: number, value: number): this {
    return this.#header(field, VARINT).#varint(BigInt.asUintN(64, BigInt(value)));
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#header(field, FIXED_32).#push(bytes);
  }

  bytes(field: number, content: Uint8Array): this {
    return this.#header(field, LENGTH_DELIMITED).#varint(BigInt(content.length)).#push(content);
  }

  text(field: number, content: string): this {
    return this.bytes(field, new TextEncoder().encode(content));
  }

  message(field: number, content: Message): this {
    this.#header(field, LENGTH_DELIMITED).#varint(BigInt(content.length));
    for (const piece of content.pieces) this.#push(piece);
    return this;
  }

  #header(field: number, kind: number): this {
    return this.#varint(BigInt(field * 8 + kind));
  }

  /** Seven bits a byte, the lowest first; the top bit says that more follow. */
  #varint(value: bigint): this {
    const bytes: number[] = [];
    let rest = value;
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    return this.#push(Uint8Array.of(...bytes, Number(rest)));
  }

  #push(piece: Uint8Array): this {
    this.pieces.push(piece);
    this.length += piece.length;
    return this;
  }
}
